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

test("of a collection that is too large, what meets a condition is held when it is asked for again", async () => {
  const { store, asked } = await counted();
  await store.declare({ kind: "text" });
  const of = (kind: string, ...ids: string[]) => ids.map((id) => ({ ...item(id), fields: { kind } }));
  await store.upsert([...of("few", "a", "b"), ...of("many", ..."cdefghijkl")]);
  const resident = residentStore(store, { ...atOnce, bytes: 3 * 1032 });
  const answers = async (kind: string): Promise<string[]> =>
    (await resident.query({ ...query, where: { kind: "compare", field: "kind", by: "=", value: kind } })).map(
      ({ id }) => id,
    );
  for (const reached of [1, 1, 1]) {
    assert.deepEqual(await answers("few"), ["a", "b"]);
    assert.equal(asked(), reached);
  }
  // Too many still.
  for (const reached of [2, 3, 4]) {
    assert.deepEqual(await answers("many"), ["c", "d", "e", "f", "g"]);
    assert.equal(asked(), reached);
  }
  await store.upsert(of("few", "0"));
  assert.deepEqual(await answers("few"), ["0", "a", "b"]);
  await assert.rejects(resident.query({ ...query, where: { kind: "exists", field: "none" } }), {
    code: "input",
  });
});

test("copies take no more memory than they may: the one that was not asked for longest goes", async () => {
  const { store, asked } = await counted();
  await store.declare({ n: "number" });
  await store.upsert(Array.from({ length: 9 }, (_, n) => ({ ...item(`${n}`), fields: { n } })));
  const resident = residentStore(store, { ...atOnce, bytes: 2 * 1032 });
  const reaches = async (n: number): Promise<boolean> => {
    const before = asked();
    const found = await resident.query({
      ...query,
      where: { kind: "compare", field: "n", by: "=", value: n },
    });
    assert.deepEqual(
      found.map(({ id }) => id),
      [`${n}`],
    );
    return asked() > before;
  };
  for (const n of [1, 1, 2, 2, 1, 3, 3]) await reaches(n);
  assert.deepEqual([await reaches(1), await reaches(2), await reaches(3)], [false, true, false]);
});
