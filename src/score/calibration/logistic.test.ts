import assert from "node:assert/strict";
import { test } from "node:test";
import { CliptError } from "../../tensor/index.js";
import { fitLogistic, logit, logitOf, sigmoid, type Logistic } from "./logistic.js";

const rows = [
  [0.5, 1],
  [1.2, 0],
  [1.9, 3],
  [2.4, 1],
  [3.1, 2],
  [3.3, 5],
  [4.0, 1],
  [4.8, 4],
  [5.1, 2],
  [6.0, 6],
];
const truths = [0, 0, 0, 1, 0, 1, 1, 1, 0, 1].map(Boolean);

const close = (fitted: Logistic, weights: readonly number[], bias: number): void => {
  for (const [i, value] of [...weights, bias].entries())
    assert.ok(Math.abs([...fitted.weights, fitted.bias][i]! - value) < 1e-5, JSON.stringify(fitted));
};

// scikit-learn 1.9.1: LogisticRegression(C=1 / l2, tol=1e-12) on StandardScaler's features, weights turned back.
test("fits are scikit-learn's", () => {
  close(fitLogistic(rows, truths), [0.3587555660044173, 0.279016337254576], -1.837972888811884);
  close(
    fitLogistic(rows, truths, { l2: 10 }),
    [0.11072441748506441, 0.09216657712890128],
    -0.5872218347638897,
  );
});

test("rows count as much as they are worth, as sample_weight in scikit-learn", () => {
  const importance = [1, 2, 1, 1, 1, 3, 1, 1, 0.5, 1];
  close(
    fitLogistic(rows, truths, { importance }),
    [0.4820035910278154, 0.4102467043770946],
    -2.2060416156704443,
  );
});

test("a feature that never changes has no weight, and one that repeats another does no harm", () => {
  const { weights } = fitLogistic(
    rows.map(([x = 0]) => [x, 7, x]),
    truths,
  );
  assert.equal(weights[1], 0);
  assert.ok(Math.abs(weights[0]! - weights[2]!) < 1e-6);
});

test("classes that are apart end with finite weights", () => {
  const fitted = fitLogistic([[0], [1], [2], [3]], [false, false, true, true], { l2: 1e-6 });
  assert.ok(sigmoid(logitOf(fitted, [0])) < 1e-3 && sigmoid(logitOf(fitted, [3])) > 0.999);
  assert.ok(Number.isFinite(fitted.weights[0]));
});

test("one kind of example alone teaches nothing", () => {
  assert.throws(
    () => fitLogistic([[1], [2]], [true, true]),
    (error: CliptError) => error.code === "input",
  );
});

test("logit undoes the sigmoid and stays finite", () => {
  assert.ok(Math.abs(logit(sigmoid(1.3)) - 1.3) < 1e-12);
  assert.ok(Number.isFinite(logit(0)) && Number.isFinite(logit(1)));
});
