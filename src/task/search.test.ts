import assert from "node:assert/strict";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { drawnPicture } from "../../test/made-data.js";
import { writeSmallModel } from "../../test/small-model.js";
import { classify } from "./classify.js";
import { embed } from "./embed.js";
import { readEmbeddings } from "./embeddings/file.js";
import { search } from "./search.js";
import { openServices, type Services } from "./services.js";
import type { TaskEvent } from "./task.js";

describe("tasks over a folder of pictures", () => {
  let root = "";
  let services: Services;
  const at = (...parts: string[]): string => join(root, ...parts);
  const events: TaskEvent[] = [];
  const encoded = (): number => {
    const done = events.flatMap((event) =>
      event.kind === "progress" && event.stage === "encoding pictures" ? [event.done] : [],
    );
    events.length = 0;
    return Math.max(0, ...done);
  };
  const find = async (query: string, options: { k?: number; model?: string; cache?: boolean } = {}) => {
    const answer = await search(
      { query, folder: at("photos"), model: at("model"), ...options },
      { services, emit: (event) => events.push(event) },
    );
    assert.ok(!Array.isArray(answer));
    return answer.results;
  };

  before(async () => {
    root = mkdtempSync(join(tmpdir(), "clipt-task-"));
    await writeSmallModel(at("model"));
    await writeSmallModel(at("other"), "other");
    mkdirSync(at("photos"));
    for (let i = 0; i < 20; i++) writeFileSync(at("photos", `${i}.png`), await drawnPicture(i * 12));
    services = openServices({ cacheFolder: at("cache"), decodeWorkers: 2 });
  });
  after(async () => {
    await services.close();
    rmSync(root, { recursive: true, force: true });
  });

  test("a picture finds itself first, and only new, changed and other models' pictures are encoded", async () => {
    const [best] = await find(at("photos/7.png"), { k: 3 });
    assert.equal(best?.path, at("photos/7.png"));
    assert.ok(Math.abs((best?.score ?? 0) - 1) < 1e-5);
    assert.equal(encoded(), 20);

    assert.equal((await find("a cat", { k: 100 })).length, 20);
    assert.equal(encoded(), 0);

    copyFileSync(at("photos/3.png"), at("photos/new.png"));
    utimesSync(at("photos/4.png"), 1, 1);
    unlinkSync(at("photos/5.png"));
    const results = await find("a cat", { k: 100 });
    assert.equal(results.length, 20);
    assert.ok(results.every(({ path }) => path !== at("photos/5.png")));
    assert.equal(encoded(), 2);

    await find("a cat", { model: at("other") });
    assert.equal(encoded(), 20);
    await find("a cat", { cache: false });
    assert.equal(encoded(), 20);
    assert.equal(readdirSync(at("cache/embeddings")).length, 2);
  });

  test("a damaged cache is built again", async () => {
    await find("a cat");
    for (const name of readdirSync(at("cache/embeddings")))
      writeFileSync(at("cache/embeddings", name), "damaged");
    events.length = 0;
    await find("a cat");
    assert.equal(encoded(), 20);
  });

  for (const ending of ["safetensors", "npy", "jsonl"])
    test(`.${ending} holds what was embedded, and a search over it finds the same`, async () => {
      const out = at(`photos.${ending}`);
      const made = await embed({ pictures: [at("photos")], out, model: at("model") }, { services });
      const { identity, items, vectors } = await readEmbeddings(out);
      assert.deepEqual(made, { out, items: 20, dim: 8, identity });
      assert.deepEqual([items.length, ...vectors.shape], [20, 20, 8]);
      const input = { query: "a dog", k: 5, model: at("model") };
      const [byFile, byFolder] = await Promise.all([
        search({ ...input, folder: out }, { services }),
        search({ ...input, folder: at("photos") }, { services }),
      ]);
      assert.deepEqual(byFile, byFolder);
    });

  test("many queries give a list, texts and pictures mixed", async () => {
    writeFileSync(at("queries.txt"), `a cat\n${at("photos/2.png")}\n\na cat\n`);
    const answers = await search(
      { queries: at("queries.txt"), folder: at("photos"), k: 1, model: at("model") },
      { services },
    );
    assert.ok(Array.isArray(answers));
    assert.deepEqual(
      answers.map(({ query }) => query),
      ["a cat", at("photos/2.png"), "a cat"],
    );
    assert.equal(answers[1]?.results[0]?.path, at("photos/2.png"));
    assert.deepEqual(answers[0]?.results, answers[2]?.results);
  });

  test("labels are ranked, their scores add up to 1 in a softmax model", async () => {
    const [result] = await classify(
      { pictures: [at("photos/1.png")], labels: ["cat", "dog", "bus"], model: at("model") },
      { services },
    );
    const scores = result?.labels.map(({ score }) => score) ?? [];
    assert.deepEqual(
      scores,
      [...scores].sort((a, b) => b - a),
    );
    assert.ok(Math.abs(scores.reduce((a, b) => a + b, 0) - 1) < 1e-9);
  });

  test("a task ends with `cancelled` after its signal", async () => {
    const signal = AbortSignal.abort();
    await assert.rejects(
      search({ query: "a cat", folder: at("photos"), model: at("model") }, { services, signal }),
      { code: "cancelled" },
    );
  });

  test("an input that breaks its schema is refused with the field's name", async () => {
    await assert.rejects(search({ query: "a cat", folder: at("photos"), k: 0 }), {
      code: "usage",
      message: /^k: /,
    });
  });
});
