import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { test } from "node:test";
import { inOrder } from "./in-order.js";
import { limited } from "./limited.js";

async function* count(to: number, seen: { taken: number; left: boolean }): AsyncGenerator<number> {
  try {
    for (let i = 0; i < to; i++) {
      seen.taken = i + 1;
      yield i;
    }
  } finally {
    seen.left = true;
  }
}

test("results keep the stream's order, whatever each takes", async () => {
  const work = async (i: number) => {
    await wait(i % 3 === 0 ? 6 : 1);
    return i * 2;
  };
  const results: number[] = [];
  for await (const result of inOrder(count(20, { taken: 0, left: false }), work, 5)) results.push(result);
  assert.deepEqual(
    results,
    Array.from({ length: 20 }, (_, i) => i * 2),
  );
});

test("no more than `ahead` items are taken before their turn; leaving returns the stream", async () => {
  const seen = { taken: 0, left: false };
  for await (const result of inOrder(count(100, seen), async (i) => i, 5)) {
    await wait(2);
    assert.ok(seen.taken <= result + 6, `${seen.taken} taken at ${result}`);
    if (result === 10) break;
  }
  assert.equal(seen.left, true);
});

test("an error is thrown in its turn", async () => {
  const seen = { taken: 0, left: false };
  const results: number[] = [];
  const run = async () => {
    const work = async (i: number) => {
      if (i === 3) throw new Error("three");
      await wait(4);
      return i;
    };
    for await (const result of inOrder(count(9, seen), work, 4)) results.push(result);
  };
  await assert.rejects(run, /three/);
  assert.deepEqual(results, [0, 1, 2]);
  assert.equal(seen.left, true);
});

test("limited work runs at most so many at once, in the order of the calls", async () => {
  let [running, most] = [0, 0];
  const started: number[] = [];
  const work = limited(3, async (i: number) => {
    started.push(i);
    most = Math.max(most, ++running);
    await wait(i % 4);
    running--;
    if (i === 5) throw new Error("five");
    return i;
  });
  const results = await Promise.allSettled(Array.from({ length: 12 }, (_, i) => work(i)));
  assert.equal(most, 3);
  assert.deepEqual(
    started,
    Array.from({ length: 12 }, (_, i) => i),
  );
  assert.deepEqual(
    results.map(({ status }) => status === "rejected"),
    Array.from({ length: 12 }, (_, i) => i === 5),
  );
});
