import assert from "node:assert/strict";
import { test } from "node:test";
import { constant, type Value } from "../../graph/index.js";
import { evaluate } from "../../runtime/index.js";
import { f32, i64 } from "../../tensor/index.js";
import { contrastiveLoss, labelLoss, positives, sigmoidLoss, softTargetLoss } from "./index.js";

const matrix = (rows: readonly (readonly number[])[]): Value =>
  constant(f32([rows.length, rows[0]!.length], rows.flat()));
const ids = (...values: number[]): Value => constant(i64([values.length], values));

async function near(loss: Value, expected: number): Promise<void> {
  const value = Number((await evaluate({ loss })).loss.data[0]);
  assert.ok(Math.abs(value - expected) < 1e-5, `${value} against ${expected}`);
}

const x = [
  [2, -1, 0.5],
  [0, 1, -2],
  [1, 1, 3],
];
const logSumExp = (values: readonly number[]): number =>
  Math.log(values.reduce((sum, v) => sum + Math.exp(v), 0));
const column = (j: number): number[] => x.map((row) => row[j]!);

test("contrastive: one positive each is the mean of two cross-entropies", () => {
  const rows = x.map((row, i) => logSumExp(row) - row[i]!);
  const columns = x.map((row, i) => logSumExp(column(i)) - row[i]!);
  const expected = [...rows, ...columns].reduce((a, b) => a + b) / 6;
  return near(contrastiveLoss(matrix(x), positives(ids(0, 1, 2), ids(0, 1, 2))), expected);
});

test("contrastive: equal logits give the logarithm of the batch", () =>
  near(
    contrastiveLoss(
      matrix([
        [5, 5],
        [5, 5],
      ]),
      positives(ids(0, 1), ids(0, 1)),
    ),
    Math.log(2),
  ));

test("contrastive: positives of one group share the target", () => {
  // Pictures 0 and 2 are the same: each of the two texts is half of the answer.
  const rows = [logSumExp(x[0]!) - (2 + 0.5) / 2, logSumExp(x[1]!) - 1, logSumExp(x[2]!) - (1 + 3) / 2];
  const columns = [
    logSumExp(column(0)) - (2 + 1) / 2,
    logSumExp(column(1)) - 1,
    logSumExp(column(2)) - (0.5 + 3) / 2,
  ];
  const expected = [...rows, ...columns].reduce((a, b) => a + b) / 6;
  return near(contrastiveLoss(matrix(x), positives(ids(0, 1, 0), ids(0, 1, 0))), expected);
});

test("contrastive: a text without a picture is only a negative", () => {
  const rows = [logSumExp(x[0]!) - 2, logSumExp(x[1]!) - 1];
  const columns = [logSumExp([2, 0]) - 2, logSumExp([-1, 1]) - 1];
  const expected = [...rows, ...columns].reduce((a, b) => a + b) / 4;
  return near(contrastiveLoss(matrix(x.slice(0, 2)), positives(ids(0, 1), ids(0, 1, 7))), expected);
});

test("sigmoid: all pairs, summed over texts and averaged over pictures", () => {
  const softplus = (v: number): number => Math.log(1 + Math.exp(v));
  const expected = x.flatMap((row, i) => row.map((v, j) => softplus(i === j ? -v : v)));
  return near(
    sigmoidLoss(matrix(x), positives(ids(0, 1, 2), ids(0, 1, 2))),
    expected.reduce((a, b) => a + b) / 3,
  );
});

test("labels: smoothing gives every class its share", () => {
  const expected = x
    .slice(0, 2)
    .map((row, i) => logSumExp(row) - 0.9 * row[i]! - (0.1 / 3) * row.reduce((a, b) => a + b));
  return near(labelLoss(matrix(x.slice(0, 2)), ids(0, 1), 0.1), (expected[0]! + expected[1]!) / 2);
});

test("distillation: zero when student and teacher agree, closed form elsewhere", async () => {
  await near(softTargetLoss(matrix(x), matrix(x.map((row) => row.map((v) => v + 4)))), 0);
  // Teacher (1/2, 1/2), student (3/4, 1/4): KL = ½ ln(2/3) + ½ ln 2.
  await near(
    softTargetLoss(matrix([[Math.log(3), 0]]), matrix([[0, 0]])),
    (Math.log(2 / 3) + Math.log(2)) / 2,
  );
});
