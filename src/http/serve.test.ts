import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import sharp from "sharp";
import { startServer, type TestServer } from "../../test/http-server.js";
import { drawnPicture, writeFiles } from "../../test/made-data.js";
import { writeSmallModel } from "../../test/small-model.js";

interface Answer {
  readonly results: readonly { id: string; score: number; fields: Record<string, unknown> }[];
}

describe("clipt serve", () => {
  let root = "";
  let server: TestServer;
  const at = (...parts: string[]): string => join(root, ...parts);
  const query = (path: string, fields: Record<string, string>): string =>
    `${path}?${new URLSearchParams(fields).toString()}`;

  before(async () => {
    root = await realpath(mkdtempSync(join(tmpdir(), "clipt-serve-")));
    await writeSmallModel(at("model"));
    for (let i = 0; i < 10; i++) writeFiles(root, { [`photos/${i}.png`]: await drawnPicture(i * 20) });
    writeFiles(root, { "photos/broken.jpg": "no picture" });
    server = await startServer({ folders: [at("photos")], db: at("db"), model: at("model") });
    await server.settled();
  });
  after(async () => {
    await server.close();
    rmSync(root, { recursive: true, force: true });
  });

  test("indexes its folders and tells what it did", async () => {
    const { body } = await server.json<{ pictures: number; folders: string[] }>("/api/info");
    assert.equal(body.pictures, 10);
    assert.deepEqual(body.folders, [at("photos")]);
    const [job] = (await server.json<Record<string, unknown>[]>("/api/jobs")).body;
    assert.equal(job?.["state"], "done");
    const [skipped] = job["skippedItems"] as { item: string; reason: string }[];
    assert.equal(skipped?.item, at("photos/broken.jpg"));
    assert.match(skipped.reason, /^Not a picture: begins with 'no pictur'/);
  });

  test("bodies take room only as long as their requests: ten of 30 MiB one after another", async () => {
    const picture = new Uint8Array(30 * 2 ** 20);
    for (let i = 0; i < 10; i++) {
      // Bytes after a picture's end are none of it.
      picture.set(i % 2 === 0 ? readFileSync(at("photos/3.png")) : Buffer.from("no picture"));
      const { status } = await server.get("/v1/tasks/classify?labels=cat", {
        method: "POST",
        headers: { "Content-Type": "image/png" },
        body: picture,
      });
      assert.equal(status, i % 2 === 0 ? 200 : 400);
    }
  });

  test("finds pictures by text, by an upload, by one of the index", async () => {
    const byText = await server.json<Answer>(query("/api/search", { q: "a cat", k: "3" }));
    assert.equal(byText.status, 200);
    assert.equal(byText.body.results.length, 3);

    const form = new FormData();
    form.set("picture", new Blob([readFileSync(at("photos/3.png"))]), "mine.png");
    form.set("k", "1");
    const byUpload = await server.json<Answer>("/api/search", { method: "POST", body: form });
    assert.deepEqual(
      byUpload.body.results.map(({ id }) => id),
      [at("photos/3.png")],
    );

    const picture = readFileSync(at("photos/4.png")).toString("base64");
    for (const given of [picture, `data:image/png;base64,${picture}`]) {
      const { body } = await server.post<Answer>("/api/search", { parts: [{ picture: given }], k: 1 });
      assert.deepEqual(
        body.results.map(({ id }) => id),
        [at("photos/4.png")],
      );
    }

    const similar = await server.json<Answer>(query("/api/similar", { id: at("photos/5.png") }));
    assert.equal(similar.body.results.length, 9);
  });

  test("shows pictures of the index: fields, thumbnail, file", async () => {
    const id = at("photos/2.png");
    const { body } = await server.json<{ fields: Record<string, unknown> }>(query("/api/picture", { id }));
    assert.equal(body.fields["width"], 12);

    const thumbnail = await server.get(query("/api/thumbnail", { id, size: "16" }));
    const { format, width, height } = await sharp(await thumbnail.arrayBuffer()).metadata();
    assert.deepEqual([format, width, height], ["webp", 12, 10]);
    const etag = thumbnail.headers.get("etag") ?? "";
    const again = await server.get(query("/api/thumbnail", { id, size: "16" }), {
      headers: { "If-None-Match": etag },
    });
    assert.equal(again.status, 304);

    const file = await server.get(query("/api/file", { id }));
    assert.equal(file.headers.get("content-type"), "image/png");
    assert.deepEqual(Buffer.from(await file.arrayBuffer()), readFileSync(id));
  });

  test("a job's events end with the job", async () => {
    const { body } = await server.post<{ job: string }>("/api/index", {});
    const events = await (await server.get(`/api/jobs/${body.job}/events`)).text();
    const last = events.trim().split("\n\n").at(-1) ?? "";
    assert.match(last, /^event: state\ndata: \{"id":"2","kind":"index","state":"done"/);
  });

  test("stopping ends what listens and leaves nothing behind", async () => {
    const other = await startServer({ db: at("db"), model: at("model") });
    const listening = await other.get("/api/events");
    const began = Date.now();
    await other.close();
    assert.match(await listening.text(), /^retry: /);
    assert.ok(Date.now() - began < 5_000);
    await assert.rejects(other.get("/healthz"));
  });

  test("says what is wrong with a request", async () => {
    const said = async (response: Promise<{ status: number; body: unknown }>) => {
      const { status, body } = await response;
      return [status, (body as { error: { message: string } }).error.message];
    };
    assert.deepEqual(await said(server.json("/api/search")), [400, "q: is required"]);
    assert.deepEqual(await said(server.json("/api/search?q=cat&k=0")), [400, "k: must be at least 1, not 0"]);
    assert.deepEqual(await said(server.json("/api/picture?id=/etc/passwd")), [
      404,
      "The index has no such picture.",
    ]);
    assert.deepEqual(await said(server.post("/api/index", { folders: ["/etc"] })), [
      400,
      `/etc is none of the server's folders: ${at("photos")}.`,
    ]);
    assert.deepEqual(await said(server.json("/api/nothing")), [404, "There is nothing at /api/nothing."]);
  });
});
