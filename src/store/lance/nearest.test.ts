import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { random } from "../../tensor/index.js";
import { matches, type Filter } from "../filter.js";
import { lanceStore } from "./store.js";

const folder = await mkdtemp(join(tmpdir(), "clipt-nearest-"));
after(() => rm(folder, { recursive: true, force: true }));

test("a condition that many meet is met by the nearest of those that meet it, far away, too", async () => {
  const [identity, dim, count] = ["a".repeat(64), 16, 6000];
  const rng = random(9);
  const vector = (): Float32Array => Float32Array.from({ length: dim }, () => rng.normal());
  const store = await lanceStore(folder);
  await store.addSet({ identity, dim });
  await store.upsert(
    Array.from({ length: count }, (_, i) => {
      const mine = vector();
      return { id: `${i}`, fields: { third: i % 3, up: mine[0]! > 0 }, vectors: { [identity]: mine } };
    }),
  );
  await store.compact();
  const up: Filter = { kind: "compare", field: "up", by: "=", value: true };
  const third: Filter = { kind: "compare", field: "third", by: "=", value: 1 };
  // What is nearest to the last vector is not up.
  const vectors = [...Array.from({ length: 20 }, vector), Float32Array.of(-1, ...Array<number>(15).fill(0))];
  for (const where of [up, third, { kind: "not", of: third }] satisfies Filter[]) {
    const truth = await store.queryMany(vectors, { identity, k: 10, where, exact: true });
    const found = await store.queryMany(vectors, { identity, k: 10, where });
    let same = 0;
    for (const [i, hits] of found.entries()) {
      assert.equal(hits.length, 10);
      assert.ok(hits.every(({ fields }) => matches(where, fields)));
      const scores = new Map(truth[i]!.map(({ id, score }) => [id, score]));
      for (const { id, score } of hits.filter(({ id }) => scores.has(id))) {
        assert.ok(Math.abs(score - scores.get(id)!) < 1e-5);
        if (i < 20) same++;
      }
      assert.deepEqual(hits, await store.query({ identity, vector: vectors[i]!, k: 10, where }));
    }
    assert.ok(same >= 186, `${same} of 200 where ${JSON.stringify(where)}`);
  }
  await store.close();
});
