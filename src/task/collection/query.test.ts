import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Encoder } from "../../model/index.js";
import { memoryStore } from "../../store/index.js";
import { f32 } from "../../tensor/index.js";
import type { Context } from "../task.js";
import type { Collection } from "./collection.js";
import { ask, type CollectionQuery } from "./query.js";

const identity = "m";
const axes: Readonly<Record<string, readonly number[]>> = { x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1] };

/** Texts that name axes; a text of several names their sum, one of four is cut. */
const encoder = {
  model: { identity, path: "no-folder", config: { embedDim: 3 }, tokenizer: { contextLength: 8 } },
  async texts(texts: readonly string[]) {
    const rows = texts.map((text) => unit(text.split(" ").map((word) => axes[word] ?? [0, 0, 0])));
    const truncated = texts.flatMap((text, i) => (text.split(" ").length > 3 ? [i] : []));
    return { features: f32([texts.length, 3], Float32Array.from(rows.flat())), truncated };
  },
} as unknown as Encoder;

function unit(vectors: readonly (readonly number[])[]): number[] {
  const sum = [0, 1, 2].map((i) => vectors.reduce((total, vector) => total + vector[i]!, 0));
  return sum.map((value) => value / Math.hypot(...sum));
}

const context = { signal: new AbortController().signal, emit: () => {} } as unknown as Context;
const at = (x: number, y: number, z: number) => Float32Array.from(unit([[x, y, z]]));

describe("ask", () => {
  let collection: Collection;
  const ids = async (query: Partial<CollectionQuery>) =>
    (await ask(collection, { parts: [{ text: "x", weight: 1 }], k: 9, ...query }, context)).results.map(
      ({ id }) => id,
    );

  before(async () => {
    const store = memoryStore();
    await store.addSet({ identity, dim: 3 });
    await store.declare({ taken: "date" });
    const items: [string, Float32Array, number][] = [
      ["x", at(9, 1, 0), 3],
      ["xy", at(5, 4, 0), 1],
      ["y", at(1, 9, 0), 2],
      ["z", at(0, 1, 9), 4],
    ];
    await store.upsert(
      items.map(([id, vector, taken]) => ({ id, fields: { taken }, vectors: { [identity]: vector } })),
    );
    collection = { store, encoder, identity, close: () => store.close() };
  });
  after(() => collection.close());

  test("by text, with a condition, in pages that go on beyond the end", async () => {
    assert.deepEqual(await ids({}), ["x", "xy", "y", "z"]);
    assert.deepEqual(await ids({ where: "taken < 1970-01-01T00:00:00.003" }), ["xy", "y"]);
    assert.deepEqual(await ids({ k: 2, offset: 1 }), ["xy", "y"]);
    assert.deepEqual(await ids({ offset: 4 }), []);
  });

  test("several parts, wanted and not wanted", async () => {
    const x = { text: "x", weight: 1 };
    assert.deepEqual((await ids({ parts: [x, { text: "y", weight: 1 }] }))[0], "xy");
    assert.deepEqual(await ids({ parts: [x, { text: "y", weight: -1 }] }), ["x", "xy", "z", "y"]);
  });

  test("a text and an item together: neither drowns the other", async () => {
    const parts = [
      { text: "z", weight: 1 },
      { item: "x", weight: 1 },
    ];
    assert.deepEqual(await ids({ parts }), ["z", "xy", "y"]);
  });

  test("an item finds what is like it, and not itself", async () => {
    assert.deepEqual(await ids({ parts: [{ item: "y", weight: 1 }], k: 2 }), ["xy", "x"]);
  });

  test("marks move the query, and what was refused stays away", async () => {
    assert.deepEqual(await ids({ like: ["y"] }), ["xy", "x", "y", "z"]);
    assert.deepEqual(await ids({ dislike: ["xy"] }), ["x", "z", "y"]);
    assert.deepEqual(await ids({ parts: [], like: ["z"] }), ["z", "y", "xy", "x"]);
    assert.deepEqual(await ids({ like: ["gone"], dislike: ["gone too"] }), await ids({}));
  });

  test("by date, within what is relevant", async () => {
    assert.deepEqual(await ids({ sort: "newest" }), ["x", "xy"]);
    assert.deepEqual(await ids({ sort: "oldest" }), ["xy", "x"]);
    assert.deepEqual(await ids({ sort: "oldest", k: 1, offset: 1 }), ["x"]);
    assert.deepEqual(await ids({ sort: "oldest", offset: 2 }), []);
  });

  test("names texts that were cut", async () => {
    const parts = [
      { text: "x x", weight: 1 },
      { text: "x y x x", weight: 1 },
    ];
    assert.deepEqual((await ask(collection, { parts, k: 1 }, context)).truncated, ["x y x x"]);
    assert.equal((await ask(collection, { parts: parts.slice(0, 1), k: 1 }, context)).truncated, undefined);
  });

  test("says what is wrong with a query", async () => {
    const wrong: [Partial<CollectionQuery>, string, RegExp][] = [
      [{ parts: [] }, "input", /empty/],
      [{ parts: [{ text: " ", weight: 1 }] }, "input", /empty/],
      [{ parts: [{ text: "x", weight: 0 }] }, "input", /weight/],
      [{ parts: [{ weight: 1 }] }, "input", /one of them/],
      [{ parts: [{ item: "nobody", weight: 1 }] }, "missing", /nobody/],
      [{ k: 0 }, "input", /k must/],
      [{ offset: -1 }, "input", /offset must/],
      [
        {
          parts: [
            { text: "x", weight: 1 },
            { text: "x", weight: -2 },
          ],
        },
        "input",
        /cancel/,
      ],
    ];
    for (const [query, code, message] of wrong)
      await assert.rejects(ids(query), { name: "CliptError", code, message });
  });
});
