import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect, makeArrowTable, VectorColumnOptions } from "@lancedb/lancedb";
import { needsObjectStorage, testBucket } from "../../../test/test-bucket.js";
import { testStore } from "../store-suite.js";
import { lanceStore } from "./store.js";

const folder = await mkdtemp(join(tmpdir(), "clipt-lance-"));
after(() => rm(folder, { recursive: true, force: true }));
let places = 0;

testStore("LanceDB", {
  create: () => lanceStore(join(folder, `${places++}`)),
  reopen: (closed) => lanceStore(closed.url),
  indexes: true,
});

let bucket: Promise<string> | undefined;

testStore(
  "LanceDB (object storage)",
  {
    create: async () => lanceStore(`${await (bucket ??= testBucket())}/${places++}`),
    reopen: (closed) => lanceStore(closed.url),
  },
  needsObjectStorage,
);

test("says in words why an object storage cannot be used", needsObjectStorage, async () => {
  await testBucket();
  await assert.rejects(lanceStore("s3://no-such-bucket/index"), {
    code: "io",
    message: "The index at s3://no-such-bucket/index cannot be used: there is no such bucket",
  });
});

test("LanceDB: an index of clipt's first version, without the column of all fields, goes on", async () => {
  const place = join(folder, `${places++}`);
  const db = await connect(place);
  const vector = Array.from({ length: 8 }, (_, i) => Number(i === 0));
  const vectorColumns = { v_m_8: new VectorColumnOptions() };
  await db.createTable("items", makeArrowTable([{ id: "old", f_n: 1, v_m_8: vector }], { vectorColumns }));
  const layout = { fields: { n: "number" }, sets: { m: { column: "v_m_8", dim: 8 } } };
  const plan = { recall: 1, sample: 1, ef: 64 };
  await db.createTable("documents", [
    { name: ".layout", json: JSON.stringify(layout) },
    { name: ".index/m", json: JSON.stringify(plan) },
  ]);
  const store = await lanceStore(place);
  await store.upsert([{ id: "new", fields: { n: 2 }, vectors: { m: Float32Array.from(vector).reverse() } }]);
  const hits = await store.query({ identity: "m", vector: Float32Array.from(vector), k: 2 });
  assert.deepEqual(hits, [
    { id: "old", score: 1, fields: { n: 1 } },
    { id: "new", score: 0, fields: { n: 2 } },
  ]);
  await store.compact();
  assert.deepEqual((await store.sets())[0], { identity: "m", dim: 8, count: 2 });
  await store.close();
});
