import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStore } from "../../store/index.js";
import type { Collection } from "./collection.js";
import { findLookalikes } from "./lookalikes.js";

const identity = "m";
const degrees = (angle: number): Float32Array =>
  Float32Array.of(Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180));
const context = { signal: new AbortController().signal, emit: () => {} };

async function groups(angles: readonly number[], meant = angles, above = Math.cos(Math.PI / 9.5)) {
  const store = memoryStore();
  await store.addSet({ identity, dim: 2 });
  await store.upsert(
    angles.map((angle) => ({ id: String(angle), fields: {}, vectors: { [identity]: degrees(angle) } })),
  );
  const found = await findLookalikes(
    { store, identity } as Collection,
    meant.map(String),
    above, // 18.9°
    context,
  );
  return found.map(({ ids }) => ids.join(" "));
}

test("pictures near each other are a group, the most alike first", async () => {
  assert.deepEqual(await groups([100, 102, 110, 300]), ["100 102 110"]);
});

test("a chain is no group: all members resemble the first", async () => {
  assert.deepEqual(await groups([100, 114, 130, 145, 160]), ["114 100 130", "145 160"]);
});

test("only the pictures that are meant are compared", async () => {
  assert.deepEqual(await groups([100, 102, 110], [100, 110]), ["100 110"]);
});
