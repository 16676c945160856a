import { CliptError } from "../../tensor/index.js";

/** Logistic regression: p = 1 / (1 + exp(-(bias + weights · x))). */
export interface Logistic {
  readonly bias: number;
  /** One for each feature. */
  readonly weights: readonly number[];
}

export interface LogisticOptions {
  /** Pull of the weights to zero, in standardised features; scikit-learn's 1 / C. The bias is free. */
  readonly l2?: number;
  /** How much each row counts; 1 when absent. */
  readonly importance?: ArrayLike<number>;
}

const mostSteps = 100;
const enough = 1e-10;

export const sigmoid = (x: number): number =>
  x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));

export const logit = (p: number): number => {
  const inside = Math.min(1 - 1e-9, Math.max(1e-9, p));
  return Math.log(inside / (1 - inside));
};

/** The sum before the sigmoid. */
export function logitOf({ bias, weights }: Logistic, row: ArrayLike<number>): number {
  let sum = bias;
  for (let j = 0; j < weights.length; j++) sum += weights[j]! * row[j]!;
  return sum;
}

/**
 * Fits by Newton's steps on standardised features; the result reads the features as they are. Features that never change
 * get the weight 0.
 *
 * @param rows   features, [rows][features]
 * @param truths one for each row
 * @throws       `input` without true and false rows
 */
export function fitLogistic(
  rows: readonly ArrayLike<number>[],
  truths: ArrayLike<boolean>,
  { l2 = 1, importance }: LogisticOptions = {},
): Logistic {
  const width = rows[0]?.length ?? 0;
  const trues = Array.from(truths).filter(Boolean).length;
  if (trues === 0 || trues === rows.length)
    throw new CliptError(
      "input",
      `A calibration is fitted to examples that match and others that do not; got ${trues} of ${rows.length} that match.`,
    );
  const mean = new Float64Array(width);
  const scale = new Float64Array(width);
  for (let j = 0; j < width; j++) {
    for (const row of rows) mean[j]! += row[j]! / rows.length;
    for (const row of rows) scale[j]! += (row[j]! - mean[j]!) ** 2 / rows.length;
    scale[j] = Math.sqrt(scale[j]!);
    if (scale[j]! < 1e-9) scale[j] = 0;
  }
  const standard = rows.map((row) => {
    const x = new Float64Array(width + 1);
    for (let j = 0; j < width; j++) x[j] = scale[j] === 0 ? 0 : (row[j]! - mean[j]!) / scale[j]!;
    x[width] = 1;
    return x;
  });
  // The bias comes last.
  const pulls = Float64Array.from({ length: width + 1 }, (_, j) => (j === width ? 0 : l2));
  const w = leastLoss(standard, truths, { pulls, importance });
  const weights = Array.from({ length: width }, (_, j) => (scale[j] === 0 ? 0 : w[j]! / scale[j]!));
  const bias = weights.reduce((sum, weight, j) => sum - weight * mean[j]!, w[width]!);
  return { bias, weights };
}

interface Loss {
  /** Pull of each weight to zero. */
  readonly pulls: Float64Array;
  readonly importance?: ArrayLike<number> | undefined;
  /** Part of each row's sum that is settled; 0 when absent. */
  readonly offsets?: ArrayLike<number>;
}

/** The weights of the least log loss, by Newton's steps. */
export function leastLoss(
  rows: readonly Float64Array[],
  truths: ArrayLike<boolean>,
  { pulls, importance, offsets }: Loss,
): Float64Array {
  const width = pulls.length;
  const sumOf = (w: Float64Array, x: Float64Array, i: number): number => (offsets?.[i] ?? 0) + dot(w, x);
  const loss = (w: Float64Array): number => {
    let sum = 0;
    for (const [i, x] of rows.entries()) {
      const z = sumOf(w, x, i);
      sum += (importance?.[i] ?? 1) * softplus(truths[i]! ? -z : z);
    }
    return w.reduce((total, value, j) => total + (pulls[j]! * value * value) / 2, sum);
  };
  let w: Float64Array = new Float64Array(width);
  let before = loss(w);
  for (let step = 0; step < mostSteps; step++) {
    const gradient = w.map((value, j) => pulls[j]! * value);
    const hessian = Array.from({ length: width }, (_, j) => {
      const row = new Float64Array(width);
      // A trace of pull keeps the matrix invertible when features repeat each other.
      row[j] = pulls[j]! + 1e-9;
      return row;
    });
    for (const [i, x] of rows.entries()) {
      const p = sigmoid(sumOf(w, x, i));
      const share = importance?.[i] ?? 1;
      const slope = share * (p - Number(truths[i]));
      const bend = share * p * (1 - p);
      for (let a = 0; a < width; a++) {
        gradient[a]! += slope * x[a]!;
        const row = hessian[a]!;
        const scaled = bend * x[a]!;
        for (let b = 0; b <= a; b++) row[b]! += scaled * x[b]!;
      }
    }
    const direction = solve(hessian, gradient);
    let [next, after, length] = [w, Infinity, 1];
    for (; length > 1e-6; length /= 2) {
      next = w.map((value, j) => value - length * direction[j]!);
      after = loss(next);
      if (after <= before) break;
    }
    if (!(after < before - enough * Math.abs(before))) return after <= before ? next : w;
    [w, before] = [next, after];
  }
  return w;
}

const softplus = (z: number): number => (z > 30 ? z : Math.log1p(Math.exp(z)));

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}

/** Solves a symmetric positive definite system by Cholesky's decomposition; the lower half of the matrix counts. */
function solve(matrix: readonly Float64Array[], right: Float64Array): Float64Array {
  const n = right.length;
  const lower = matrix.map((row) => Float64Array.from(row));
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = lower[i]![j]!;
      for (let k = 0; k < j; k++) sum -= lower[i]![k]! * lower[j]![k]!;
      lower[i]![j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / lower[j]![j]!;
    }
  }
  const x = Float64Array.from(right);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= lower[i]![k]! * x[k]!;
    x[i]! /= lower[i]![i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= lower[k]![i]! * x[k]!;
    x[i]! /= lower[i]![i]!;
  }
  return x;
}
