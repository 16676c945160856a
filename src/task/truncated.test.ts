import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { drawnPicture, writeFiles } from "../../test/made-data.js";
import { writeSmallModel } from "../../test/small-model.js";
import { classify } from "./classify.js";
import { embed } from "./embed.js";
import type { TaskEvent } from "./event.js";
import { search } from "./search.js";

describe("a text that is longer than the model reads", () => {
  const root = mkdtempSync(join(tmpdir(), "clipt-truncated-"));
  const at = (name: string) => join(root, name);
  // 16 tokens, two of which are its start and end.
  const model = at("small");
  const [short, long] = ["a cat", "the dog ran and ran and ran and ran and the cat sat"];
  const warned = (): { events: TaskEvent[]; emit: (event: TaskEvent) => void } => {
    const events: TaskEvent[] = [];
    return { events, emit: (event) => void (event.kind === "warning" && events.push(event)) };
  };
  before(async () => {
    await writeSmallModel(model);
    writeFiles(root, { "photos/1.png": await drawnPicture(1), "texts.txt": `${short}\n${long}\n${short}\n` });
  });
  after(() => rmSync(root, { recursive: true }));

  test("is told by its row in embed", async () => {
    const { events, emit } = warned();
    const result = await embed({ texts: at("texts.txt"), out: at("t.jsonl"), model }, { emit });
    assert.deepEqual(result.truncated, [1]);
    assert.equal(events.length, 1);
    assert.equal(readFileSync(at("t.jsonl"), "utf8").trim().split("\n").length, 3);
    writeFileSync(at("short.txt"), `${short}\n`);
    assert.ok(!("truncated" in (await embed({ texts: at("short.txt"), out: at("t.jsonl"), model }))));
  });

  test("is told by its label in classify", async () => {
    const { events, emit } = warned();
    const [result] = await classify({ pictures: [at("photos")], labels: [short, long], model }, { emit });
    assert.deepEqual(Object.fromEntries(result!.labels.map(({ label, truncated }) => [label, truncated])), {
      [short]: undefined,
      [long]: true,
    });
    assert.equal(events.length, 1);
  });

  test("is told by its query in search", async () => {
    const { events, emit } = warned();
    writeFileSync(at("queries.txt"), `${short}\n${long}\n`);
    const results = await search({ queries: at("queries.txt"), folder: at("photos"), model }, { emit });
    assert.deepEqual(
      [results].flat().map(({ truncated }) => truncated),
      [undefined, [long]],
    );
    assert.equal(events.length, 1);
  });
});
