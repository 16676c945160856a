import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { constant, gemm, input, topological, type ConstantAttrs, type Value } from "../graph/index.js";
import { evaluate } from "../runtime/index.js";
import { f32, random } from "../tensor/index.js";
import { withLightWeights } from "./light-weights.js";

const rng = random("light weights");
const weights = f32(
  [8, 32],
  Float32Array.from({ length: 256 }, () => rng.normal()),
);
const program = {
  y: gemm(input("x", ["batch", 32]), constant(weights, { name: "w" }), { transB: true }),
};
const feed = { x: f32([1, 32], weights.data.slice(0, 32)) };
const locations = ({ y }: { y: Value }) =>
  topological([y]).flatMap(({ attrs }) => (attrs as ConstantAttrs | undefined)?.location?.path ?? []);

for (const dtype of ["fp16", "q8", "q4"] as const)
  test(`${dtype} weights are made once, mapped from then on, and made again when their file is damaged`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "clipt-test-"));
    try {
      const path = join(folder, "weights", "kept.safetensors");
      const first = await withLightWeights(program, dtype, path);
      assert.ok(locations(first).every((where) => where === path));
      const { mtimeMs } = statSync(path);
      const bytes = readFileSync(path);
      const second = await withLightWeights(program, dtype, path);
      assert.equal(statSync(path).mtimeMs, mtimeMs);
      const alone = await withLightWeights(program, dtype, undefined);
      assert.deepEqual(locations(alone), []);
      const results = await Promise.all([first, second, alone].map((light) => evaluate(light, feed)));
      assert.deepEqual(results[1], results[0]);
      assert.deepEqual(results[2], results[0]);
      truncateSync(path, bytes.length - 4);
      await withLightWeights(program, dtype, path);
      assert.deepEqual(readFileSync(path), bytes);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
