import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Files that lie in large-file storage, as `.gitattributes` says on the hub: on another server, with a SHA-256. */
const isLarge = (path: string): boolean => /\.(safetensors|bin)$/.test(path);

/** What the hub does wrong on purpose. Tests change it between requests. */
export interface Behaviour {
  /** Only this token may read. */
  token?: string | undefined;
  /** Refuses everybody until terms are accepted. */
  gated?: boolean;
  /** Large files stop after so many bytes, and wait until the connection is closed. */
  holdAt?: number | undefined;
  /** Connections for large files break after so many bytes, so often. */
  breakAt?: number | undefined;
  breaks?: number;
  /** A large file's last byte is another than the announced checksum knows. */
  corrupt?: boolean;
  /** Bytes that large files lack at their end; negative: that they have too many. */
  short?: number;
  /** Answers every request for a range with the whole file. */
  noRanges?: boolean;
  /** Knows only what huggingface_hub asks for: no list of files with their checksums. */
  noTree?: boolean;
  /** So many requests are answered by 503 first. */
  busy?: number;
}

export interface Asked {
  readonly server: "hub" | "storage";
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

export interface HubServer {
  /** For HF_ENDPOINT. */
  readonly url: string;
  readonly commit: string;
  readonly asked: Asked[];
  readonly behaviour: Behaviour;
  /** Large files that were asked for. */
  stored(): Asked[];
  close(): Promise<void>;
}

/** A hub with one repository: two servers, as huggingface.co and its storage are. */
export async function startHub(name: string, files: ReadonlyMap<string, Uint8Array>): Promise<HubServer> {
  const commit = randomBytes(20).toString("hex");
  const behaviour: Behaviour = {};
  const asked: Asked[] = [];
  const note = (server: Asked["server"], { method = "", url = "", headers }: IncomingMessage): void => {
    asked.push({ server, method, path: url, range: headers.range, authorization: headers.authorization });
  };

  const storage = createServer((request, response) => {
    note("storage", request);
    const bytes = files.get(decodeURIComponent((request.url ?? "").slice(1)));
    if (bytes === undefined) return void response.writeHead(404).end();
    sendLarge(request, response, bytes, behaviour);
  });
  const storageUrl = await listen(storage);

  const hub = createServer((request, response) => {
    note("hub", request);
    const { pathname } = new URL(request.url ?? "", "http://hub");
    const json = (status: number, value: unknown, headers = {}): void =>
      void response
        .writeHead(status, { "content-type": "application/json", ...headers })
        .end(JSON.stringify(value));
    if ((behaviour.busy ?? 0) > 0) {
      behaviour.busy = (behaviour.busy ?? 0) - 1;
      return json(503, { error: "busy" }, { "retry-after": "0" });
    }
    if (behaviour.gated === true)
      return json(403, { error: `Access to model ${name} is restricted.` }, { "x-error-code": "GatedRepo" });
    if (behaviour.token !== undefined && request.headers.authorization !== `Bearer ${behaviour.token}`)
      return json(401, { error: "Invalid username or password." });
    const revisions = ["main", "v1", commit];
    const [, revision] = new RegExp(`^/api/models/${name}/revision/([^/]+)$`).exec(pathname) ?? [];
    if (revision !== undefined)
      return revisions.includes(revision)
        ? json(200, {
            id: name,
            sha: commit,
            siblings: [...files.keys()].map((rfilename) => ({ rfilename })),
          })
        : json(404, { error: "Invalid rev id" }, { "x-error-code": "RevisionNotFound" });
    if (pathname === `/api/models/${name}/tree/${commit}` && behaviour.noTree !== true)
      return json(200, [...files].map(treeEntry));
    const [, , path = ""] = new RegExp(`^/${name}/resolve/([^/]+)/(.+)$`).exec(pathname) ?? [];
    const bytes = files.get(path);
    if (bytes === undefined)
      return json(404, { error: "Repository not found" }, { "x-error-code": "RepoNotFound" });
    const headers = { "x-repo-commit": commit, "accept-ranges": "bytes" };
    if (!isLarge(path))
      return sendRange(request, response, bytes, { ...headers, etag: `"${gitSha1(bytes)}"` });
    response
      .writeHead(302, {
        ...headers,
        location: `${storageUrl}/${path}`,
        "x-linked-size": String(bytes.length),
        "x-linked-etag": `"${sha256(bytes)}"`,
      })
      .end();
  });
  const url = await listen(hub);
  return {
    url,
    commit,
    asked,
    behaviour,
    stored: () => asked.filter(({ server }) => server === "storage"),
    async close() {
      await Promise.all([hub, storage].map(shut));
    },
  };
}

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const gitSha1 = (bytes: Uint8Array): string =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");

const treeEntry = ([path, bytes]: readonly [string, Uint8Array]) => ({
  type: "file",
  path,
  size: bytes.length,
  oid: gitSha1(bytes),
  ...(!isLarge(path) ? {} : { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 133 } }),
});

function sendLarge(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Uint8Array,
  { holdAt, breakAt, breaks = 0, corrupt, short = 0, noRanges }: Behaviour,
): void {
  const body = new Uint8Array(bytes.length - short);
  body.set(bytes.subarray(0, body.length));
  if (corrupt === true) body[body.length - 1]! ^= 255;
  if (noRanges === true) delete request.headers.range;
  const stop = breaks > 0 ? breakAt : holdAt;
  if (stop === undefined) return sendRange(request, response, body, {});
  const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
  response.writeHead(from > 0 ? 206 : 200, { "content-length": String(body.length - from) });
  response.write(body.subarray(from, Math.max(from, stop)), () => {
    if (breaks > 0) response.destroy();
  });
}

function sendRange(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Uint8Array,
  headers: Record<string, string>,
): void {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  if (from === undefined)
    return void response.writeHead(200, { ...headers, "content-length": String(bytes.length) }).end(bytes);
  const end = to === "" || to === undefined ? bytes.length : Math.min(Number(to) + 1, bytes.length);
  const part = bytes.subarray(Number(from), end);
  const range = `bytes ${from}-${end - 1}/${bytes.length}`;
  response
    .writeHead(206, { ...headers, "content-range": range, "content-length": String(part.length) })
    .end(part);
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function shut(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
