import assert from "node:assert/strict";
import { test } from "node:test";
import { adamw, clipScale, gradientNorm, type AdamWState } from "./adamw.js";
import { updateAverage } from "./ema.js";
import { checkSchedule, learningRate } from "./schedule.js";

const state = (weights: number[], gradients: number[]): AdamWState => ({
  weights: Float32Array.from(weights),
  gradients: Float32Array.from(gradients),
  mean: new Float32Array(weights.length),
  square: new Float32Array(weights.length),
});
const near = (actual: number, expected: number, within = 1e-6): void =>
  assert.ok(Math.abs(actual - expected) <= within, `${actual} against ${expected}`);

const options = { learningRate: 0.1, beta1: 0.9, beta2: 0.99, eps: 1e-8, gradientScale: 1 };

test("AdamW: the first step has the size of the rate, against the gradient, after the decay", () => {
  const s = state([1, -2, 3], [0.5, -4, 0]);
  adamw(s, [{ begin: 0, end: 3, rate: 1, decay: 0.2 }], { ...options, step: 1 });
  near(s.weights[0]!, 1 * 0.98 - 0.1);
  near(s.weights[1]!, -2 * 0.98 + 0.1);
  near(s.weights[2]!, 3 * 0.98);
});

test("AdamW: two steps by PyTorch's formula, written out", () => {
  const s = state([1], [0.5]);
  const stretch = [{ begin: 0, end: 1, rate: 0.5, decay: 0.1 }];
  adamw(s, stretch, { ...options, step: 1 });
  s.gradients[0] = -0.3;
  adamw(s, stretch, { ...options, step: 2 });
  const lr = 0.05;
  let p = 1;
  const m1 = 0.1 * 0.5;
  const v1 = 0.01 * 0.25;
  p = p * (1 - lr * 0.1) - (lr / 0.1) * (m1 / (Math.sqrt(v1) / Math.sqrt(0.01) + 1e-8));
  const m2 = 0.9 * m1 + 0.1 * -0.3;
  const v2 = 0.99 * v1 + 0.01 * 0.09;
  p = p * (1 - lr * 0.1) - (lr / (1 - 0.81)) * (m2 / (Math.sqrt(v2) / Math.sqrt(1 - 0.99 ** 2) + 1e-8));
  near(s.weights[0]!, p);
});

test("AdamW: a rate of 0 freezes, moments included", () => {
  const s = state([1, 1], [5, 5]);
  const stretches = [
    { begin: 0, end: 1, rate: 0, decay: 1 },
    { begin: 1, end: 2, rate: 1, decay: 0 },
  ];
  adamw(s, stretches, { ...options, step: 1 });
  assert.deepEqual([s.weights[0], s.mean[0]], [1, 0]);
  assert.notEqual(s.weights[1], 1);
  assert.equal(gradientNorm(s.gradients, stretches), 5);
});

test("clipping scales to the limit and never up", () => {
  near(clipScale(10, 1), 0.1);
  assert.equal(clipScale(0.5, 1), 1);
  assert.equal(clipScale(10, undefined), 1);
});

test("schedules follow open_clip's formulas", () => {
  const cosine = { kind: "cosine", warmup: 2, total: 8 } as const;
  // The rates of open_clip's own run in the reference data: base 0.002, 8 steps, warm-up 2.
  const expected = [0.001, 0.002, 0.002, 0.001866025403784439, 0.0015, 0.001, 0.0005, 0.0001339745962155613];
  expected.forEach((rate, step) => near(learningRate(cosine, 0.002, step), rate, 1e-15));
  assert.equal(learningRate({ ...cosine, kind: "const" }, 1, 7), 1);
  const cool = {
    ...cosine,
    kind: "const-cooldown",
    cooldown: 4,
    cooldownPower: 1,
    cooldownEnd: 0.2,
  } as const;
  near(learningRate(cool, 1, 3), 1);
  near(learningRate(cool, 1, 6), 0.6);
  assert.throws(() => checkSchedule({ ...cosine, warmup: 9 }), /does not fit into a run of 8 steps/);
});

test("the average is a plain mean first and exponential later", () => {
  const average = Float32Array.of(9);
  [2, 4, 6].forEach((w, n) => updateAverage(average, Float32Array.of(w), 0.999, n));
  near(average[0]!, 4);
  updateAverage(average, Float32Array.of(8), 0.5, 1000);
  near(average[0]!, 6);
});
