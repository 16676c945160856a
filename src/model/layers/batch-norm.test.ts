import assert from "node:assert/strict";
import { test } from "node:test";
import { constant, type Value } from "../../graph/index.js";
import { evaluate } from "../../runtime/index.js";
import { f32 } from "../../tensor/index.js";
import { batchNorm, type BatchNorm } from "./batch-norm.js";

const numbers = (...values: number[]) => constant(f32([values.length], values));
const weights: BatchNorm<Value> = {
  weight: numbers(2, 1),
  bias: numbers(0.5, 0),
  running_mean: numbers(1, 10),
  running_var: numbers(4, 1),
};
/** Two pictures of two channels and two places: channel 0 holds 1, 3, 5, 7, channel 1 always 12. */
const x = constant(f32([2, 2, 1, 2], [1, 3, 12, 12, 5, 7, 12, 12]));
const assertClose = (got: unknown, wanted: readonly number[]) => {
  wanted.forEach((value, i) => assert.ok(Math.abs((got as Float32Array)[i]! - value) < 1e-5, `${i}: ${got}`));
};

test("in use: the running statistics", async () => {
  const { y } = await evaluate({ y: batchNorm(weights, x, 0, "visual.bn1", {}) });
  assertClose(y.data, [0.5, 2.5, 2, 2, 4.5, 6.5, 2, 2]);
});

test("in training: the batch's own, and new running ones by momentum 0.1 and the unbiased variance", async () => {
  const statistics = new Map<string, Value>();
  const y = batchNorm(weights, x, 1e-12, "visual.bn1", { statistics });
  const result = await evaluate({
    y,
    mean: statistics.get("visual.bn1.running_mean")!,
    variance: statistics.get("visual.bn1.running_var")!,
  });
  // Channel 0 has mean 4, variance 5 over 4 values and 20/3 as an estimate.
  const unit = (value: number) => (2 * (value - 4)) / Math.sqrt(5) + 0.5;
  assertClose(result.y.data, [unit(1), unit(3), 0, 0, unit(5), unit(7), 0, 0]);
  assertClose(result.mean.data, [0.9 * 1 + 0.1 * 4, 0.9 * 10 + 0.1 * 12]);
  assertClose(result.variance.data, [0.9 * 4 + (0.1 * 20) / 3, 0.9]);
});
