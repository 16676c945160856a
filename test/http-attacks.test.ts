import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { deflateSync } from "node:zlib";
import { after, afterEach, before, describe, test } from "node:test";
import { startServer, type TestServer } from "./http-server.js";
import { drawnPicture, writeFiles } from "./made-data.js";
import { writeSmallModel } from "./small-model.js";

const token = "the token of this test";

/** What people send to servers to break them or to see what they should not. Nothing leaks, nothing dies. */
describe("attacks on the server", () => {
  let root = "";
  let server: TestServer;
  const at = (...parts: string[]): string => join(root, ...parts);
  const query = (path: string, fields: Record<string, string>): string =>
    `${path}?${new URLSearchParams(fields).toString()}`;
  const own = { Authorization: `Bearer ${token.replaceAll(" ", "-")}` };

  /** Status and code of a request's error. */
  const refusal = async (path: string, init: RequestInit = {}): Promise<[number, string]> => {
    const { status, body } = await server.json<{ error?: { code: string } }>(path, {
      ...init,
      headers: { ...own, ...init.headers },
    });
    return [status, body.error?.code ?? "none"];
  };
  const send = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    refusal(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const classify = (picture: Uint8Array) =>
    send("/v1/tasks/classify", { pictures: [Buffer.from(picture).toString("base64")], labels: ["a", "b"] });

  /** Writes bytes to a connection as they are. @returns what comes back until it ends */
  const raw = (bytes: string | Buffer, more: (write: (text: string) => boolean) => void = () => {}) =>
    new Promise<string>((resolve) => {
      const { hostname, port } = new URL(server.url);
      const socket = connect(Number(port), hostname);
      let said = "";
      socket.on("data", (data) => (said += data.toString("latin1")));
      socket.on("error", () => {});
      socket.on("close", () => resolve(said));
      socket.write(bytes);
      more((text) => socket.write(text));
    });

  before(async () => {
    root = await realpath(mkdtempSync(join(tmpdir(), "clipt-attack-")));
    await writeSmallModel(at("model"));
    for (let i = 0; i < 4; i++) writeFiles(root, { [`photos/${i}.png`]: await drawnPicture(i * 60) });
    writeFiles(root, { "secret/secret.png": await drawnPicture(9), "secret/word.txt": "secret word" });
    server = await startServer({
      ...{ folders: [at("photos")], db: at("db"), model: at("model"), token: token.replaceAll(" ", "-") },
      ...{ maxBytes: 2_000_000, maxPixels: 1_000_000, fetchUrls: true, receiveTimeout: 2 },
    });
    while (
      ((await (await server.get("/api/info", { headers: own })).json()) as { jobs: unknown[] }).jobs.length >
      0
    )
      await wait(20);
  });
  afterEach(async () => {
    // Whatever was sent, the next one is answered.
    const { results } = (await (await server.get("/api/search?q=cat", { headers: own })).json()) as {
      results: unknown[];
    };
    assert.equal(results.length, 4);
  });
  after(async () => {
    await server.close();
    rmSync(root, { recursive: true, force: true });
  });

  test("without the token, or with another, nothing is told", async () => {
    for (const path of [
      "/api/info",
      "/api/search?q=a",
      "/metrics",
      "/v1/models",
      "/indices-list",
      "/api/events",
    ])
      for (const headers of [
        {},
        { Authorization: "Bearer wrong" },
        { Authorization: `Bearer ${token}` },
        { Authorization: `Basic ${Buffer.from(token).toString("base64")}` },
        { Cookie: "clipt-session=wrong" },
      ])
        assert.equal((await server.get(path, { headers })).status, 401, path);
    assert.equal((await server.post("/api/login", { token: "wrong" })).status, 401);
    const login = await server.get("/api/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token: token.replaceAll(" ", "-") }),
    });
    const cookie = login.headers.get("set-cookie") ?? "";
    assert.match(cookie, /HttpOnly; SameSite=Strict/);
    assert.ok(!cookie.includes("the-token"));
    const opened = await server.get("/api/info", { headers: { Cookie: cookie.split(";")[0]! } });
    assert.equal(opened.status, 200);
    assert.deepEqual(
      server.said.filter((line) => line.includes("the-token")),
      [],
    );
  });

  test("other sites' pages, and names that rebind, are refused", async () => {
    const { host } = new URL(server.url);
    const ask = (lines: string) => raw(`GET /api/info HTTP/1.1\r\n${lines}\r\nConnection: close\r\n\r\n`);
    const bearer = `Authorization: ${own.Authorization}`;
    for (const name of [
      "evil.example",
      `evil.example:80`,
      "localhost.evil.example",
      "127.0.0.1.evil.example",
    ])
      assert.match(await ask(`Host: ${name}\r\n${bearer}`), /^HTTP\/1.1 403 /, name);
    assert.match(await ask(`Host: ${host}\r\nOrigin: https://evil.example\r\n${bearer}`), /^HTTP\/1.1 403 /);
    assert.match(await ask(`Host: ${host}\r\nOrigin: null\r\n${bearer}`), /^HTTP\/1.1 403 /);
    assert.match(await ask(`Host: ${host}\r\nSec-Fetch-Site: cross-site\r\n${bearer}`), /^HTTP\/1.1 403 /);
    assert.match(await ask(`Host: ${host}\r\nOrigin: http://${host}\r\n${bearer}`), /^HTTP\/1.1 200 /);
  });

  test("only pictures of the index are given out: no traversal, no links, nothing put in their place", async () => {
    for (const id of [
      at("secret/secret.png"),
      `${at("photos")}/../secret/secret.png`,
      "../secret/secret.png",
      "/etc/passwd",
      `${at("photos/0.png")}\0.txt`,
      "file:///etc/passwd",
    ])
      for (const path of ["/api/file", "/api/thumbnail", "/api/picture", "/api/similar"])
        assert.deepEqual(await refusal(query(path, { id })), [404, "missing"], `${path} ${id}`);
    for (const path of [
      "/../package.json",
      "/%2e%2e/package.json",
      "/..%2fpackage.json",
      "/docs/..%2f..%2fpackage.json",
    ])
      assert.match(
        await raw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`),
        /^HTTP\/1.1 40[04] /,
      );

    const [gone, kept] = [at("photos/1.png"), at("photos/1.kept")];
    renameSync(gone, kept);
    symlinkSync(at("secret/secret.png"), gone);
    assert.deepEqual(await refusal(query("/api/file", { id: gone })), [404, "missing"]);
    unlinkSync(gone);
    writeFileSync(gone, "secret word");
    assert.deepEqual(await refusal(query("/api/file", { id: gone })), [404, "missing"]);
    unlinkSync(gone);
    renameSync(at("photos"), at("moved"));
    symlinkSync(at("secret"), at("photos"));
    assert.deepEqual(await refusal(query("/api/file", { id: at("photos/secret.png") })), [404, "missing"]);
    assert.deepEqual(await refusal(query("/api/file", { id: at("photos/2.png") })), [404, "missing"]);
    unlinkSync(at("photos"));
    renameSync(at("moved"), at("photos"));
    renameSync(kept, gone);
    assert.equal((await server.get(query("/api/file", { id: gone }), { headers: own })).status, 200);
  });

  test("a path in the place of a picture or a query is no path", async () => {
    const path = at("secret/secret.png");
    assert.deepEqual(await send("/v1/tasks/classify", { pictures: [path], labels: ["a", "b"] }), [
      400,
      "usage",
    ]);
    assert.deepEqual(await send("/api/search", { picture: path }), [400, "usage"]);
    assert.deepEqual(await send("/v1/embeddings", { input: [{ image: path }] }), [400, "usage"]);
    assert.deepEqual(await send("/api/search", { picture: "upload:nothing" }), [400, "usage"]);
    // The model, the index and files stay the server's, whatever a request says.
    const withFiles = {
      labels: ["a", "b"],
      labelsFile: at("secret/word.txt"),
      templates: at("secret/word.txt"),
    };
    const picture = (await drawnPicture(1)).toString("base64");
    const { status } = await server.json("/v1/tasks/classify", {
      method: "POST",
      headers: { ...own, "Content-Type": "application/json" },
      body: JSON.stringify({ pictures: [picture], ...withFiles, model: at("secret"), db: at("secret") }),
    });
    assert.equal(status, 200);
    assert.deepEqual(await send("/v1/tasks/train", {}), [404, "unknown"]);
    assert.deepEqual(await send("/api/index", { folders: [at("secret")] }), [400, "usage"]);
  });

  test("truncated, damaged and huge pictures, and bombs", async () => {
    const good = await drawnPicture(3, "jpeg");
    assert.deepEqual(await classify(good.subarray(0, good.length / 2)), [400, "input"]);
    assert.deepEqual(await classify(Buffer.from("no picture at all")), [400, "input"]);
    assert.deepEqual(await classify(pngBomb(50_000, 50_000)), [400, "input"]);
    assert.deepEqual(await classify(pngBomb(2_000, 2_000)), [400, "input"]);
    assert.deepEqual(await classify(gifBomb(65_535, 65_535)), [400, "input"]);
    assert.deepEqual(await classify(bmpBomb(100_000, 100_000)), [400, "input"]);
    assert.deepEqual(await send("/api/search", { picture: pngBomb(50_000, 50_000).toString("base64") }), [
      400,
      "input",
    ]);
    assert.deepEqual(await classify(Buffer.alloc(3_000_000)), [413, "large"]);
    const gzipped = { "Content-Encoding": "gzip" };
    assert.deepEqual(await send("/api/search", "not even gzip", gzipped), [400, "usage"]);
  });

  test("addresses that lead back to this machine", async () => {
    const { port } = new URL(server.url);
    for (const host of [
      "127.0.0.1",
      "localhost",
      "2130706433",
      "0x7f000001",
      "0177.0.0.1",
      "[::1]",
      "[::ffff:7f00:1]",
      "0",
    ])
      assert.deepEqual(
        await send("/api/search", { picture: `http://${host}:${port}/api/file?id=${at("photos/0.png")}` }),
        [400, "input"],
        host,
      );
  });

  test("bodies that are not what they say", async () => {
    for (const body of [
      "{",
      "[]",
      "null",
      '"text"',
      "[".repeat(100_000),
      `{"q": "\ud800"`,
      '{"__proto__": {"k": 1}}',
    ])
      assert.deepEqual(await send("/api/search", body), [400, "usage"], body.slice(0, 20));
    const form = { "Content-Type": "multipart/form-data; boundary=x" };
    for (const body of [
      "",
      "--x",
      "--x\r\n\r\n",
      "--y--",
      `--x\r\nContent-Disposition: form-data; name="q"\r\n\r\n`,
    ])
      assert.deepEqual(await send("/api/search", body, form), [400, "usage"], body);
    const part = `--x\r\nContent-Disposition: form-data; name="q"\r\n\r\na\r\n`;
    assert.deepEqual(await send("/api/search", `${part.repeat(5_000)}--x--\r\n`, form), [413, "large"]);
    assert.deepEqual(await send("/api/search", "<a/>", { "Content-Type": "text/xml" }), [415, "media"]);
    assert.deepEqual(await refusal("/api/search", { method: "DELETE" }), [405, "method"]);
    assert.deepEqual(await refusal("/v1/embeddings"), [405, "method"]);
  });

  test("more than anyone needs: labels, texts, results", async () => {
    const labels = Array.from({ length: 10_000 }, (_, i) => `label ${i}`);
    const picture = (await drawnPicture(1)).toString("base64");
    assert.deepEqual(await send("/v1/tasks/classify", { pictures: [picture], labels }), [400, "usage"]);
    assert.deepEqual(await send("/v1/embeddings", { input: labels }), [400, "usage"]);
    assert.deepEqual(await send("/v1/embeddings", { input: "a ".repeat(100_000) }), [400, "usage"]);
    assert.deepEqual(await refusal("/api/search?q=a&k=1000000"), [400, "usage"]);
    assert.deepEqual(await send("/api/search", { query: "a + b - ".repeat(1_000) }), [400, "usage"]);
    assert.deepEqual(await refusal("/api/search?q=a&offset=100000000000"), [400, "usage"]);
    assert.deepEqual(await refusal(query("/api/search", { q: "a", where: "(".repeat(900) })), [400, "input"]);
    assert.deepEqual(await refusal(query("/api/search", { q: "a", where: "nothing = 1" })), [400, "input"]);
    const chain = Array.from({ length: 80 }, () => "size = 1").join(" or ");
    assert.deepEqual(await refusal(query("/api/search", { q: "a", where: chain })), [200, "none"]);
  });

  test("floods of headers and requests that are none", async () => {
    const flood = Array.from({ length: 2_000 }, (_, i) => `X-${i}: ${"a".repeat(20)}\r\n`).join("");
    assert.match(
      await raw(`GET / HTTP/1.1\r\nHost: localhost\r\n${flood}\r\n`),
      /^HTTP\/1.1 431 [^]*\{"error":\{"code":"headers"/,
    );
    assert.match(await raw("no request\r\n\r\n"), /^HTTP\/1.1 400 /);
    assert.match(await raw(`GET / HTTP/1.1\r\n\r\n`), /^HTTP\/1.1 40[03] /);
    const both = "Content-Length: 5\r\nTransfer-Encoding: chunked";
    assert.match(
      await raw(`POST /api/login HTTP/1.1\r\nHost: localhost\r\n${both}\r\n\r\n0\r\n\r\n`),
      /^HTTP\/1.1 400 /,
    );
  });

  test("clients that send slowly are let go, and those who leave cost nothing", async () => {
    const began = Date.now();
    const slow = Array.from({ length: 50 }, () =>
      raw("POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n", (write) =>
        write("{"),
      ),
    );
    // Others are answered meanwhile.
    assert.equal((await server.get("/healthz")).status, 200);
    await Promise.all(slow);
    assert.ok(Date.now() - began < 15_000);
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const controller = new AbortController();
        const asked = server.get(`/api/search?q=${i}`, { headers: own, signal: controller.signal });
        controller.abort();
        await asked.catch(() => {});
      }),
    );
  });

  test("faults are told to the log and not to the client", async () => {
    const answers = await Promise.all([
      server.get("/api/search?q=a&where=%00", { headers: own }),
      server.get("/api/jobs/..%2f..%2fetc", { headers: own }),
      server.get("/api/thumbnail?id=%00&size=16", { headers: own }),
    ]);
    for (const answer of answers) {
      const text = await answer.text();
      assert.ok(answer.status < 500, text);
      assert.doesNotMatch(text, /node_modules|dist\/src|at \w+ \(/);
    }
  });
});

/** A PNG that promises so many pixels and holds few bytes. */
function pngBomb(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.alloc(1_000_000))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** CRC-32 of the PNG specification, annex D. */
function crc(bytes: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let i = 0; i < 8; i++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

function gifBomb(width: number, height: number): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt16LE(width, 0);
  size.writeUInt16LE(height, 2);
  const screen = [0x80, 0, 0, 0, 0, 0, 255, 255, 255, 0x2c, 0, 0, 0, 0];
  return Buffer.concat([
    Buffer.from("GIF89a"),
    size,
    Buffer.from(screen),
    size,
    Buffer.from([0, 2, 2, 0x4c, 1, 0, 0x3b]),
  ]);
}

function bmpBomb(width: number, height: number): Buffer {
  const bytes = Buffer.alloc(60);
  bytes.write("BM");
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  return bytes;
}
