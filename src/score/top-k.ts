import { CliptError, showShape, type Tensor } from "../tensor/index.js";

/** A row that was found, and its dot product with the query. */
export interface Hit {
  readonly index: number;
  readonly score: number;
}

/**
 * The `k` rows with the largest dot products, best first, equal scores in the order of the rows.
 * Fewer when there are fewer rows. Rows are read once for all queries.
 *
 * @param queries [m, dim]
 * @param rows    [n, dim]
 * @returns       one list per query
 * @throws        `shape` when widths differ
 */
export function topK(queries: Tensor<"float32">, rows: Tensor<"float32">, k: number): Hit[][] {
  const width = widthOf(rows);
  if (widthOf(queries) !== width)
    throw new CliptError(
      "shape",
      `Queries ${showShape(queries.shape)} and rows ${showShape(rows.shape)} have different widths.`,
    );
  const best = Array.from({ length: queries.shape[0] ?? 0 }, () => bestOf(k));
  const count = rows.shape[0] ?? 0;
  const scores = new Float64Array(blockRows);
  for (let start = 0; start < count; start += blockRows) {
    const end = Math.min(count, start + blockRows);
    for (const [q, list] of best.entries()) {
      dots(queries.data, q * width, rows.data, start, end, width, scores);
      for (let i = start; i < end; i++) list.offer(i, scores[i - start] ?? 0);
    }
  }
  return best.map((list) => list.hits());
}

/**
 * All dot products of two sets of rows.
 *
 * @param a [m, dim]
 * @param b [n, dim]
 * @returns [m, n], summed in float64
 */
export function dotProducts(a: Tensor<"float32">, b: Tensor<"float32">): Float64Array {
  const width = widthOf(a);
  const [m = 0, n = 0] = [a.shape[0], b.shape[0]];
  const result = new Float64Array(m * n);
  for (let start = 0; start < n; start += blockRows) {
    const end = Math.min(n, start + blockRows);
    for (let i = 0; i < m; i++)
      dots(a.data, i * width, b.data, start, end, width, result.subarray(i * n + start, i * n + end));
  }
  return result;
}

/** Rows that stay in a core's cache while all queries pass over them: 256 × 512 floats are half a MiB. */
const blockRows = 256;

const widthOf = ({ shape }: Tensor): number => {
  if (shape.length !== 2)
    throw new CliptError("shape", `Expected rows of equal width, got shape ${showShape(shape)}.`);
  return shape[1] ?? 0;
};

/**
 * Four rows at a time: their sums are independent, so that the processor overlaps them, and each number of the query is
 * read once. Every row is summed in the same order wherever it stands, so equal rows have equal scores.
 */
function dots(
  query: Float32Array,
  at: number,
  rows: Float32Array,
  start: number,
  end: number,
  width: number,
  into: Float64Array,
): void {
  let row = start;
  for (; row + 4 <= end; row += 4) {
    const r0 = row * width;
    const r1 = r0 + width;
    const r2 = r1 + width;
    const r3 = r2 + width;
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let i = 0; i < width; i++) {
      const q = query[at + i]!;
      s0 += q * rows[r0 + i]!;
      s1 += q * rows[r1 + i]!;
      s2 += q * rows[r2 + i]!;
      s3 += q * rows[r3 + i]!;
    }
    into[row - start] = s0;
    into[row - start + 1] = s1;
    into[row - start + 2] = s2;
    into[row - start + 3] = s3;
  }
  for (; row < end; row++) {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += query[at + i]! * rows[row * width + i]!;
    into[row - start] = sum;
  }
}

/** The best k of a stream of scores whose indices rise. */
export interface Best {
  offer(index: number, score: number): void;
  /** Best first, equal scores by index. */
  hits(): Hit[];
}

export function bestOf(k: number): Best {
  let hits: Hit[] = [];
  let worst = -Infinity;
  const cut = (): void => {
    hits = hits.sort((a, b) => b.score - a.score || a.index - b.index).slice(0, k);
    if (hits.length === k) worst = hits.at(-1)?.score ?? Infinity;
  };
  return {
    offer(index, score) {
      if (!(score > worst)) return;
      hits.push({ index, score });
      // Sorted as often as it has doubled.
      if (hits.length >= 2 * k) cut();
    },
    hits() {
      cut();
      return hits;
    },
  };
}
