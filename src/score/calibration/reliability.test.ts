import assert from "node:assert/strict";
import { test } from "node:test";
import { areaUnderCurve, calibrationError, missesAt, reliability } from "./reliability.js";

const said = [0.1, 0.3, 0.3, 0.35, 0.6, 0.8, 0.8, 0.95];
const truths = [0, 0, 1, 0, 1, 1, 0, 1].map(Boolean);

// scikit-learn 1.9.1: roc_auc_score, brier_score_loss, log_loss.
test("AUC, Brier score and log loss are scikit-learn's; ties count half", () => {
  const { auc, brier, logLoss, count } = reliability(said, truths);
  assert.equal(count, 8);
  assert.ok(Math.abs(auc - 0.75) < 1e-12);
  assert.ok(Math.abs(brier - 0.194375) < 1e-12);
  assert.ok(Math.abs(logLoss - 0.5614364452396001) < 1e-12);
});

test("the calibration error by hand: bins of width 0.5", () => {
  // Below 0.5: said 1.05 in sum, 1 held; above: said 3.15, 3 held.
  assert.ok(Math.abs(calibrationError(said, truths, 2) - (0.05 + 0.15) / 8) < 1e-12);
  // What is always right has none; what is always wrong has 1.
  assert.equal(calibrationError([0, 1], [false, true], 15), 0);
  assert.equal(calibrationError([0, 1], [true, false], 15), 1);
});

test("an order that is perfect, reversed, or none at all", () => {
  assert.equal(areaUnderCurve([1, 2, 3], [false, false, true]), 1);
  assert.equal(areaUnderCurve([3, 2, 1], [false, false, true]), 0);
  assert.equal(areaUnderCurve([1, 1, 1], [false, true, true]), 0.5);
});

test("misses at a share of false alarms", () => {
  const falses = Array.from({ length: 100 }, (_, i) => i / 100);
  const trues = [0.2, 0.93, 0.95, 0.99];
  const scores = [...falses, ...trues];
  const kinds = [...falses.map(() => false), ...trues.map(() => true)];
  // Five false ones exceed 0.94: two of four true ones do not.
  assert.equal(missesAt(scores, kinds, 0.05), 0.5);
});

test("each probability needs its truth", () => {
  assert.throws(() => reliability([0.5], []), RangeError);
});
