import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { lanceStore } from "./lance/store.js";
import { memoryStore } from "./memory.js";
import { defaultResident, residentStore } from "./resident.js";
import { testStore } from "./store-suite.js";
import type { Query, Store } from "./store.js";

/** Copied before it answers. */
const atOnce = { ...defaultResident, restMs: 0, noticeMs: 0 };

testStore("a copy of memory", { create: async () => residentStore(memoryStore(), atOnce) });

testStore("a copy of LanceDB", {
  create: async () =>
    residentStore(await lanceStore(await mkdtemp(join(tmpdir(), "clipt-resident-"))), atOnce),
  reopen: async (closed) => residentStore(await lanceStore(closed.url), atOnce),
});

const identity = "a".repeat(64);
const query: Query = { identity, vector: Float32Array.of(1, 0), k: 5 };
const item = (id: string) => ({ id, fields: {}, vectors: { [identity]: Float32Array.of(1, 1) } });

/** A store of one item that counts the searches that reach it. */
async function counted(): Promise<{ store: Store; asked: () => number }> {
  const store = memoryStore();
  await store.addSet({ identity, dim: 2 });
  await store.upsert([item("first")]);
  let asked = 0;
  return {
    store: {
      ...store,
      query: (query) => {
        asked++;
        return store.query(query);
      },
    },
    asked: () => asked,
  };
}

const ids = async (store: Store): Promise<string[]> => (await store.query(query)).map(({ id }) => id);

test("a store at rest is not asked again; what others write is seen", async () => {
  const { store, asked } = await counted();
  const resident = residentStore(store, atOnce);
  assert.deepEqual(await ids(resident), ["first"]);
  await resident.query(query);
  assert.equal(asked(), 0);
  await store.upsert([item("second")]);
  assert.deepEqual(await ids(resident), ["first", "second"]);
  assert.deepEqual(await resident.get(["second"]), [{ id: "second", fields: {} }]);
  await store.writeDocument("d", 1);
  assert.equal(await resident.readDocument("d"), 1);
  assert.equal(await resident.count(), 2);
});

test("while it is written, the store itself answers", async () => {
  const { store, asked } = await counted();
  const resident = residentStore(store, { ...atOnce, restMs: 60_000 });
  // The first copy is made behind the answers.
  let before = -1;
  while (asked() > before) {
    before = asked();
    assert.deepEqual(await ids(resident), ["first"]);
  }
  for (const id of ["second", "third"]) {
    before = asked();
    await resident.upsert([item(id)]);
    assert.ok((await ids(resident)).includes(id));
    assert.equal(asked(), before + 1);
  }
});

test("a collection that is too large is asked where it is", async () => {
  const { store, asked } = await counted();
  const resident = residentStore(store, { ...atOnce, bytes: 1000 });
  await ids(resident);
  await ids(resident);
  assert.equal(asked(), 2);
});
