import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { packageRoot } from "../package-root.js";
import { f32, random } from "../tensor/index.js";
import { kernelSource } from "./dots-binary.js";
import { holdTensor, plainDots } from "./held-rows.js";
import { dotProducts } from "./top-k.js";

const rng = random(3);
const normal = (n: number): Float32Array => Float32Array.from({ length: n }, () => rng.normal());

for (const [vectors, rows, width] of [
  [1, 1, 1],
  [3, 5, 7],
  [4, 8, 16],
  [6, 300, 384],
  [131, 257, 10],
] as const)
  test(`${vectors} vectors and ${rows} rows of ${width}: the products are those in float64`, () => {
    const [a, b] = [f32([vectors, width], normal(vectors * width)), f32([rows, width], normal(rows * width))];
    const wanted = dotProducts(a, b);
    const given = Array.from({ length: vectors }, (_, i) => a.data.subarray(i * width, (i + 1) * width));
    let seen = 0;
    holdTensor(b).compare(given, (vector, first, scores) => {
      for (const [i, score] of scores.entries()) {
        const expected = wanted[vector * rows + first + i]!;
        assert.ok(Math.abs(score - expected) < 1e-5 * width, `${score}, not ${expected}`);
      }
      seen += scores.length;
    });
    assert.equal(seen, vectors * rows);
  });

test("equal rows have equal products, wherever they and the vector stand", () => {
  const [row, vector] = [normal(50), normal(50)];
  const held = holdTensor(
    f32(
      [9, 50],
      Float32Array.from({ length: 9 * 50 }, (_, i) => row[i % 50]!),
    ),
  );
  const found = new Set<number>();
  for (const count of [1, 2, 5])
    held.compare(
      Array.from({ length: count }, () => vector),
      (_, __, scores) => scores.forEach((score) => found.add(score)),
    );
  assert.equal(found.size, 1);
});

test("only the rows that are meant are compared", () => {
  const held = holdTensor(f32([600, 2], normal(1200)));
  const places: number[] = [];
  held.compare([normal(2)], (_, first, scores) => scores.forEach((__, i) => places.push(first + i)), 5, 520);
  assert.deepEqual(
    places,
    Array.from({ length: 515 }, (_, i) => 5 + i),
  );
});

test("without WebAssembly, JavaScript gives the same", () => {
  const memory = new Float32Array([1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0]);
  plainDots(memory)(0, 4, 4, 64, 1, 80);
  assert.deepEqual([...memory.subarray(20)], [5, 13, 0, 0]);
});

test("the committed kernel was compiled from wasm/dots.ts as it is (else: npm run build:wasm)", () => {
  const source = readFileSync(join(packageRoot, "wasm/dots.ts"), "utf8");
  assert.equal(kernelSource, createHash("sha256").update(source).digest("hex"));
});
