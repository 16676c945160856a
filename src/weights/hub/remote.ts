import { CliptError } from "../../tensor/index.js";
import type { Repository } from "./names.js";
import type { HubSettings } from "./settings.js";

/** What the hub says of a file before its bytes are there. */
export interface RemoteFile {
  readonly path: string;
  readonly size: number;
  /** Absent where a mirror tells none. */
  readonly checksum?: Checksum | undefined;
}

/** SHA-256 of files in large-file storage; of others the SHA-1 that git gives them, over "blob SIZE\0" and the bytes. */
export interface Checksum {
  readonly kind: "sha256" | "git-sha1";
  readonly hex: string;
}

/** A repository at one commit. */
export interface RemoteSnapshot {
  readonly commit: string;
  readonly paths: readonly string[];
  /** @throws `missing`, `io` */
  describe(path: string): Promise<RemoteFile>;
}

/**
 * Asks the hub which commit a revision is and which files it holds.
 *
 * @param fetch as `hubFetch` makes it
 * @throws      `missing` when there is no such repository or revision, `io` when it may not be read or is out of reach
 */
export async function remoteSnapshot(
  repository: Repository,
  { endpoint: hubUrl }: HubSettings,
  fetch: typeof globalThis.fetch,
): Promise<RemoteSnapshot> {
  const hub = await import("@huggingface/hub");
  const { name, revision } = repository;
  const info = await hub.modelInfo({ name, revision, additionalFields: ["sha", "filePaths"], hubUrl, fetch });
  const commit: unknown = info.sha;
  if (typeof commit !== "string" || !/^\w[\w.-]*$/.test(commit))
    throw new CliptError("format", `${hubUrl} names no commit for ${name} at "${revision}".`);
  const repo = { type: "model", name } as const;
  const listed = new Map<string, RemoteFile>();
  try {
    for await (const entry of hub.listFiles({ repo, revision: commit, recursive: true, hubUrl, fetch }))
      if (entry.type === "file") {
        const { path, size, lfs, oid } = entry;
        listed.set(path, { path, size: lfs?.size ?? size, checksum: checksumOf(lfs?.oid ?? oid) });
      }
  } catch (error) {
    // Mirrors that know only what huggingface_hub asks for list the names here, and the rest with each file.
    if (!(error instanceof CliptError && error.code === "missing")) throw error;
  }
  const paths = listed.size > 0 ? [...listed.keys()] : info.filePaths;
  return {
    commit,
    paths,
    async describe(path) {
      const known = listed.get(path);
      if (known?.checksum !== undefined) return known;
      const told = await hub.fileDownloadInfo({ repo, path, revision: commit, hubUrl, fetch });
      if (told === null) throw new CliptError("missing", `${name} lists ${path}, but does not hold it.`);
      return { path, size: told.size, checksum: checksumOf(told.etag) };
    },
  };
}

/** The checksum in an entity tag or an object's id; undefined for anything else. */
export function checksumOf(tag: string | undefined): Checksum | undefined {
  const hex = tag?.replace(/^W\//, "").replaceAll('"', "").toLowerCase() ?? "";
  if (/^[0-9a-f]{64}$/.test(hex)) return { kind: "sha256", hex };
  if (/^[0-9a-f]{40}$/.test(hex)) return { kind: "git-sha1", hex };
  return undefined;
}
