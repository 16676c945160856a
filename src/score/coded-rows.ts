import { kernelWith } from "./kernel.js";
import { bestOf } from "./top-k.js";

/**
 * Rows in four bits a number, an eighth of their size: near enough to choose those that are worth comparing exactly. They lie where
 * the kernel reads them.
 */
export interface CodedRows {
  /** @param rows [n, width]: the rows from `first` on */
  set(first: number, rows: Float32Array): void;
  /** Places in `among`, which names rows, of the `k` whose dot products with the vector are largest, as far as four bits tell. */
  nearest(vector: Float32Array, among: Uint32Array, k: number): number[];
}

/** The step that suits normal numbers best when 16 are told apart, in standard deviations. */
const step = 0.335;
const levels = 16;
/** Rows that the kernel is given at once. */
const blockRows = 1024;
/** Of a vector's weights in 16 bits: with levels up to 15, products of 16,384 numbers still add up in 32. */
const largest = 2 ** 13;

const padded = (width: number): number => 32 * Math.ceil(width / 32);
export const codedBytes = (width: number): number => padded(width) / 2;

/**
 * Room for rows, [count, width]. Numbers of a column are told apart by the column's mean and deviation.
 *
 * @param sample rows like those that come
 * @returns      undefined where there is no WebAssembly
 */
export function codeRows(
  count: number,
  width: number,
  sample: readonly Float32Array[],
): CodedRows | undefined {
  const stride = padded(width);
  const scalesAt = count * codedBytes(width);
  const offsetsAt = scalesAt + 4 * stride;
  const weightsAt = offsetsAt + 4 * stride;
  const indexesAt = weightsAt + 2 * stride;
  const productsAt = indexesAt + 4 * blockRows;
  const rowsAt = productsAt + 4 * blockRows;
  const kernel = kernelWith(rowsAt + 4 * blockRows * stride);
  if (kernel === undefined) return undefined;
  const { memory, encode, codedDots } = kernel;
  const weights = new Int16Array(memory, weightsAt, width);
  const indexes = new Uint32Array(memory, indexesAt, blockRows);
  const products = new Int32Array(memory, productsAt, blockRows);
  const rows = new Float32Array(memory, rowsAt, blockRows * stride);
  const { means, steps } = columnsOf(sample, width);
  new Float32Array(memory, scalesAt, width).set(steps.map((size) => 1 / size));
  new Float32Array(memory, offsetsAt, width).set(means.map((mean, i) => levels / 2 - mean / steps[i]!));
  return {
    set(first, given) {
      const n = given.length / width;
      for (let from = 0; from < n; from += blockRows) {
        const some = Math.min(blockRows, n - from);
        for (let i = 0; i < some; i++)
          rows.set(given.subarray((from + i) * width, (from + i + 1) * width), i * stride);
        encode(rowsAt, some, stride, scalesAt, offsetsAt, (first + from) * codedBytes(width));
      }
    },
    nearest(vector, among, k) {
      const weighed = steps.map((size, i) => size * vector[i]!);
      const most = weighed.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
      weights.set(weighed.map((weight) => Math.round((weight / most) * largest)));
      const best = bestOf(k);
      for (let from = 0; from < among.length; from += blockRows) {
        const some = among.subarray(from, from + blockRows);
        indexes.set(some);
        codedDots(0, stride, indexesAt, some.length, weightsAt, productsAt);
        for (let i = 0; i < some.length; i++) best.offer(from + i, products[i]!);
      }
      return best.hits().map(({ index }) => index);
    },
  };
}

/** Of each column its mean, and how far apart its levels are. */
function columnsOf(
  sample: readonly Float32Array[],
  width: number,
): { means: Float64Array; steps: Float64Array } {
  const mean = (of: (row: Float32Array, i: number) => number): Float64Array =>
    Float64Array.from(
      { length: width },
      (_, i) => sample.reduce((sum, row) => sum + of(row, i), 0) / sample.length,
    );
  const means = mean((row, i) => row[i]!);
  const variances = mean((row, i) => (row[i]! - means[i]!) ** 2);
  // A column that never changes in the sample tells nothing, but must not divide by zero.
  const least = Math.max(variances.reduce((sum, x) => sum + x, 0) / width / 1e6, Number.MIN_VALUE ** 0.5);
  return { means, steps: variances.map((variance) => step * Math.sqrt(Math.max(variance, least))) };
}
