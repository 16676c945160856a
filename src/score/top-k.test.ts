import assert from "node:assert/strict";
import { test } from "node:test";
import { CliptError, f32, random } from "../tensor/index.js";
import { dotProducts, topK } from "./top-k.js";

test("the largest dot products come first, equal ones in the order of the rows", () => {
  const rows = f32([5, 2], [1, 0, 0, 1, 1, 0, -1, 0, 0.5, 0]);
  assert.deepEqual(topK(f32([2, 2], [1, 0, 0, 2]), rows, 3), [
    [
      { index: 0, score: 1 },
      { index: 2, score: 1 },
      { index: 4, score: 0.5 },
    ],
    [
      { index: 1, score: 2 },
      { index: 0, score: 0 },
      { index: 2, score: 0 },
    ],
  ]);
});

test("there are never more hits than rows, and none for k = 0 or without rows", () => {
  const query = f32([1, 2], [1, 1]);
  assert.equal(topK(query, f32([2, 2], [1, 2, 3, 4]), 9)[0]?.length, 2);
  assert.deepEqual(topK(query, f32([2, 2], [1, 2, 3, 4]), 0), [[]]);
  assert.deepEqual(topK(query, f32([0, 2], []), 3), [[]]);
  assert.deepEqual(topK(f32([0, 2], []), query, 3), []);
});

test("over several blocks the hits are those of sorting all products", () => {
  const rng = random("top-k");
  const [n, width, k] = [1003, 7, 10];
  const rows = f32(
    [n, width],
    Float32Array.from({ length: n * width }, () => rng.normal()),
  );
  const queries = f32(
    [3, width],
    Float32Array.from({ length: 3 * width }, () => rng.normal()),
  );
  const all = dotProducts(queries, rows);
  const sorted = [0, 1, 2].map((q) =>
    Array.from({ length: n }, (_, index) => ({ index, score: all[q * n + index] ?? 0 }))
      .sort((a, b) => b.score - a.score || a.index - b.index)
      .slice(0, k),
  );
  assert.deepEqual(topK(queries, rows, k), sorted);
});

test("widths must agree", () => {
  assert.throws(() => topK(f32([1, 2], [1, 2]), f32([1, 3], [1, 2, 3]), 1), CliptError);
});
