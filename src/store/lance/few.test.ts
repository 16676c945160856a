import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { connect } from "@lancedb/lancedb";
import { random } from "../../tensor/index.js";
import type { Item, Store } from "../store.js";
import { Few } from "./few.js";
import type { FoundRow } from "./rows.js";
import { lanceStore } from "./store.js";

const folder = await mkdtemp(join(tmpdir(), "clipt-few-"));
after(() => rm(folder, { recursive: true, force: true }));
let places = 0;

const [set, other, dim] = ["a".repeat(64), "b".repeat(64), 24];
const column = `v_${set}_${dim}`;
const rng = random(7);
const vector = (): Float32Array => Float32Array.from({ length: dim }, () => rng.normal());
const item = (id: string, group: number): Item => ({ id, fields: { group }, vectors: { [set]: vector() } });

/** A store of 5,000 items in ten groups and two sets, each fifth without a vector, and another handle of its table. */
async function opened(): Promise<{ store: Store; few: Few; close: () => Promise<void> }> {
  const store = await lanceStore(join(folder, `${places++}`));
  for (const identity of [set, other]) await store.addSet({ identity, dim });
  for (const from of [0, 2500])
    await store.upsert(
      Array.from({ length: 2500 }, (_, i): Item => {
        const { id, fields, vectors } = item(`${from + i}`, i % 10);
        return { id, fields, ...(i % 5 !== 0 && { vectors: { ...vectors, [other]: vector() } }) };
      }),
    );
  const db = await connect(store.url, { readConsistencyInterval: 0 });
  const table = await db.openTable("items");
  const few = new Few(table, true, 0.2);
  const close = async (): Promise<void> => {
    await few.close();
    table.close();
    db.close();
    await store.close();
  };
  return { store, few, close };
}

const asked = { column, columns: ["id"], wanted: 10 };
const inGroup = (group: number): string => `f_group = ${group}`;
const ask = (few: Few, vectors: readonly Float32Array[], group: number): ReturnType<Few["nearest"]> =>
  few.nearest({ ...asked, vectors }, inGroup(group));

/** Searches until the codes are there. */
async function ready(few: Few): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if ((await ask(few, [vector()], 1)) !== undefined) return;
    await setTimeout(i < 300 ? 0 : 10);
  }
  assert.fail("no codes were read");
}

/** Of three searches at once, each finds what comparing everything finds, with equal scores. */
async function agrees(store: Store, few: Few, group: number): Promise<void> {
  const vectors = [vector(), vector(), vector()];
  const rows = await ask(few, vectors, group);
  assert.ok(rows !== undefined);
  let found = 0;
  for (const [query, vector] of vectors.entries()) {
    const mine: FoundRow[] = rows.filter(({ query_index }) => query_index === query);
    const scores = new Map(mine.map(({ id, _distance }) => [id, 1 - _distance] as const));
    assert.equal(scores.size, mine.length);
    const where = { kind: "compare", field: "group", by: "=", value: group } as const;
    const meant = await store.query({ identity: set, vector, k: 1000, where, exact: true });
    const truth = new Map(meant.map(({ id, score }) => [id, score]));
    for (const [id, score] of scores)
      assert.ok(Math.abs(score - truth.get(id as string)!) < 1e-6, `${String(id)} of ${group}: ${score}`);
    found += meant.slice(0, 10).filter(({ id }) => scores.has(id)).length;
  }
  assert.ok(found >= 29, `${found} of 30`);
}

test("among few rows, codes find what comparing everything finds, once some searches were made", async () => {
  const { store, few, close } = await opened();
  for (let i = 0; i < 9; i++) assert.equal(await ask(few, [vector()], 1), undefined);
  await ready(few);
  for (const group of [1, 2, 3, 9]) await agrees(store, few, group);
  assert.deepEqual(await ask(few, [vector()], 5), [], "rows without a vector");
  assert.deepEqual(await ask(few, [vector()], 77), [], "no rows");
  await assert.rejects(few.nearest({ ...asked, vectors: [vector()] }, "f_none = 1"));
  await close();
});

test("codes serve until something is written, by whomever; then they are read again", async () => {
  const { store, few, close } = await opened();
  await ready(few);
  const wanted = vector();
  const nearest = async (): Promise<unknown> =>
    (await ask(few, [wanted], 1))!.sort((a, b) => a._distance - b._distance)[0]?.["id"];
  const writes: readonly (readonly [what: string, write: () => Promise<void>, nearest?: string])[] = [
    ["one more", () => store.upsert([{ ...item("new", 1), vectors: { [set]: wanted } }]), "new"],
    ["its vector replaced", () => store.upsert([item("new", 1)])],
    ["another's replaced", () => store.upsert([{ ...item("11", 1), vectors: { [set]: wanted } }]), "11"],
    ["deleted", () => store.delete(["11", "21", "new"])],
    ["put together", () => store.compact()],
    ["in a group of its own", () => store.upsert([item("31", 7), item("41", 1)])],
  ];
  for (const [what, write, id] of writes) {
    await write();
    assert.equal(await ask(few, [vector()], 1), undefined, what);
    await ready(few);
    for (const group of [1, 7]) await agrees(store, few, group);
    if (id !== undefined) assert.equal(await nearest(), id, what);
  }
  await close();
});

test("of many rows, and of a place that is far away, the engine finds the nearest itself", async () => {
  const { store, few, close } = await opened();
  await ready(few);
  for (let i = 0; i < 2; i++)
    assert.equal(await few.nearest({ ...asked, vectors: [vector()] }, "f_group < 5"), undefined);
  await agrees(store, few, 1);
  await close();

  const db = await connect(store.url);
  const far = new Few(await db.openTable("items"), false);
  for (let i = 0; i < 20; i++) assert.equal(await ask(far, [vector()], 1), undefined);
  await setTimeout(200);
  assert.equal(await ask(far, [vector()], 1), undefined);
  db.close();
});

test("ends while codes are read", async () => {
  const { few, close } = await opened();
  for (let i = 0; i < 10; i++) await ask(few, [vector()], 1);
  await close();
});
