import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import OpenAI from "openai";
import { startServer, type TestServer } from "./http-server.js";
import { drawnPicture, writeFiles } from "./made-data.js";
import { writeSmallModel } from "./small-model.js";

/** Clients that others wrote, and the shapes that they expect. */
describe("clients of the server", () => {
  let root = "";
  let server: TestServer;
  const at = (...parts: string[]): string => join(root, ...parts);
  const cosine = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, x, i) => sum + x * b[i]!, 0) / (Math.hypot(...a) * Math.hypot(...b));

  before(async () => {
    root = await realpath(mkdtempSync(join(tmpdir(), "clipt-clients-")));
    await writeSmallModel(at("model"));
    for (let i = 0; i < 6; i++) writeFiles(root, { [`photos/${i}.png`]: await drawnPicture(i * 40) });
    writeFiles(root, { "photos/copy.png": await drawnPicture(40) });
    server = await startServer({ folders: [at("photos")], db: at("db"), model: at("model") });
    await server.settled();
  });
  after(async () => {
    await server.close();
    rmSync(root, { recursive: true, force: true });
  });

  test("the openai package gets vectors, as numbers and packed", async () => {
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
    const { data: models } = await client.models.list();
    assert.deepEqual(
      models.map(({ id }) => id),
      ["model"],
    );
    const input = ["a cat", "the dog ran"];
    // Left to itself, the package asks for base64 and unpacks it.
    const packed = await client.embeddings.create({ model: "model", input });
    const plain = await client.embeddings.create({ model: "model", input, encoding_format: "float" });
    assert.deepEqual(
      packed.data.map(({ index }) => index),
      [0, 1],
    );
    for (const [i, { embedding }] of plain.data.entries()) {
      assert.ok(Math.abs(Math.hypot(...embedding) - 1) < 1e-5);
      assert.deepEqual(packed.data[i]!.embedding, embedding);
    }
    assert.ok(plain.usage.total_tokens > 4);

    const short = await client.embeddings.create({ model: "model", input: "a cat", dimensions: 3 });
    const [first] = plain.data;
    assert.equal(short.data[0]!.embedding.length, 3);
    assert.ok(cosine(short.data[0]!.embedding, first!.embedding.slice(0, 3)) > 0.9999);

    // The model reads 16 tokens.
    const long = Array.from({ length: 40 }, () => "cat").join(" ");
    const { data } = await client.embeddings.create({ model: "model", input: ["a cat", long] });
    assert.deepEqual(
      data.map((one) => "truncated" in one && one.truncated),
      [false, true],
    );

    await assert.rejects(client.embeddings.create({ model: "text-embedding-3-small", input: "a cat" }), {
      status: 404,
      message: /is not served here; model is/,
    });
  });

  test("Jina's shape: texts and pictures in one request", async () => {
    const image = readFileSync(at("photos/3.png")).toString("base64");
    const input = [{ text: "a cat" }, { image }, { image: `data:image/png;base64,${image}` }, "a cat"];
    const { status, body } = await server.post<{ data: { embedding: number[] }[] }>("/v1/embeddings", {
      model: "model",
      input,
    });
    assert.equal(status, 200);
    const [text, picture, same, again] = body.data.map(({ embedding }) => embedding);
    assert.deepEqual(picture, same);
    assert.deepEqual(text, again);
    assert.notDeepEqual(text, picture);
  });

  test("clip-retrieval's requests, as its client sends them", async () => {
    // clip_retrieval.clip_client 2.45: JSON without a Content-Type, null for what is not asked.
    const ask = async (path: string, body: object) =>
      (await server.get(path, { method: "POST", body: new Blob([JSON.stringify(body)]) })).json();
    const query = {
      ...{ text: null, image: null, image_url: null, embedding_input: null, deduplicate: true },
      ...{ use_safety_model: true, use_violence_detector: true, indice_name: "clipt", use_mclip: false },
      ...{ aesthetic_score: 9, aesthetic_weight: 0.5, modality: "image", num_images: 40, num_result_ids: 40 },
    };
    assert.deepEqual((await server.json("/indices-list")).body, ["clipt"]);
    const image = readFileSync(at("photos/1.png")).toString("base64");
    const hits = (await ask("/knn-service", { ...query, image })) as Record<string, string | number>[];
    // One of the two equal files is left out.
    assert.equal(hits.length, 6);
    const [best] = hits;
    assert.deepEqual(Object.keys(best!).sort(), ["caption", "id", "image_path", "similarity", "url"]);
    assert.ok(Number(best!["similarity"]) > 0.999);
    assert.equal((await fetch(String(best!["url"]))).headers.get("content-type"), "image/png");

    const { body } = await server.post<{ data: { embedding: number[] }[] }>("/v1/embeddings", {
      input: [{ image }],
    });
    const byVector = (await ask("/knn-service", {
      ...query,
      embedding_input: body.data[0]!.embedding,
    })) as typeof hits;
    assert.deepEqual(
      byVector.map(({ id }) => id),
      hits.map(({ id }) => id),
    );
    const metadata = await ask("/metadata", { ids: [best!["id"], "nobody"], indice_name: "clipt" });
    assert.deepEqual(metadata, [
      {
        id: best!["id"],
        metadata: { url: best!["url"], image_path: best!["id"], caption: best!["caption"] },
      },
    ]);
  });

  test("a task's route takes files of a form, base64 and a body that is a picture", async () => {
    const picture = readFileSync(at("photos/2.png"));
    const form = new FormData();
    for (const name of ["one.png", "two.png"]) form.append("pictures", new Blob([picture]), name);
    form.append("pictures", new Blob(["no picture"]), "three.png");
    form.append("labels", JSON.stringify(["cat", "dog"]));
    const response = await server.get("/v1/tasks/classify", { method: "POST", body: form });
    const answer = (await response.json()) as {
      picture: string;
      labels: { label: string; score: number }[];
    }[];
    assert.deepEqual(
      answer.map(({ picture }) => picture),
      ["one.png", "two.png"],
    );
    const [skipped] = JSON.parse(
      decodeURIComponent(response.headers.get("x-clipt-skipped") ?? ""),
    ) as unknown[];
    assert.match(
      JSON.stringify(skipped),
      /"item":"three.png","reason":"Not a picture: begins with 'no pictur'/,
    );

    const base64 = { pictures: [picture.toString("base64")], labels: ["cat", "dog"] };
    const byBase64 = await server.post<typeof answer>("/v1/tasks/classify", base64);
    const byBody = await server.json<typeof answer>("/v1/tasks/classify?labels=cat&labels=dog", {
      method: "POST",
      headers: { "Content-Type": "image/png" },
      body: picture,
    });
    assert.deepEqual(byBase64.body[0]?.labels, answer[0]?.labels);
    assert.deepEqual(byBody.body, byBase64.body);
  });

  test("the documents and Prometheus's page come from this server alone", async () => {
    const document = (await server.json<{ openapi: string; paths: object }>("/openapi.json")).body;
    assert.equal(document.openapi, "3.1.0");
    assert.ok("/v1/tasks/classify" in document.paths);
    const page = await (await server.get("/docs")).text();
    for (const [, address = ""] of page.matchAll(/(?:href|src)="([^"]+)"/g)) {
      assert.doesNotMatch(address, /^(https?:)?\/\//);
      assert.equal((await server.get(`/${address}`)).status, 200, address);
    }
    const metrics = await (await server.get("/metrics")).text();
    assert.match(
      metrics,
      /clipt_requests_total\{route="\/v1\/tasks\/classify",method="post",status="200"\} 3/,
    );
  });
});
