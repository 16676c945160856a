import { UMAP } from "umap-js";
import { input, gemm } from "../../graph/index.js";
import { nodeRuntime } from "../../runtime/index.js";
import { f32, random } from "../../tensor/index.js";

/** Each point's nearest others, itself first: umap-js expects it so. */
interface Neighbours {
  readonly indices: number[][];
  /** 1 − cosine */
  readonly distances: number[][];
}

const neighbourCount = 15;
/** Fewer points have no structure that neighbours could tell. */
const fewest = 8;

/**
 * Places vectors on a plane, near ones near (UMAP). It starts from the two main directions, so that the large order is kept and
 * the same vectors give the same map.
 *
 * @param vectors  [count, dim], unit length
 * @param progress 0…1
 * @returns        [count, 2], 0…1, the longer side filled
 * @source         McInnes, Healy, Melville 2018, by umap-js
 */
export async function layOutVectors(
  vectors: Float32Array,
  count: number,
  progress: (done: number) => void = () => {},
): Promise<Float32Array> {
  const start = mainDirections(vectors, count);
  if (count < fewest) return intoSquare(start);
  const { indices, distances } = await nearest(vectors, count, Math.min(neighbourCount, count - 1));
  progress(0.2);
  const rng = random("map");
  const umap = new UMAP({ nNeighbors: indices[0]!.length, minDist: 0.15, random: () => rng.next() });
  umap.setPrecomputedKNN(indices, distances);
  // It needs the vectors for nothing but their number once neighbours are known.
  const epochs = umap.initializeFit(Array.from({ length: count }, () => []));
  const points = umap.getEmbedding();
  const wide = intoSquare(start);
  for (const [i, point] of points.entries())
    for (const axis of [0, 1]) point[axis] = (wide[2 * i + axis]! - 0.5) * 20;
  for (let epoch = 0; epoch < epochs; epoch++) {
    umap.step();
    if (epoch % 10 === 0) progress(0.2 + (0.8 * epoch) / epochs);
  }
  return intoSquare(Float32Array.from(points.flat()));
}

/**
 * Exact, by one matrix product for a block of rows: ten thousand vectors take about a second, where as many questions to an index
 * take half a minute.
 */
async function nearest(vectors: Float32Array, count: number, k: number): Promise<Neighbours> {
  const dim = vectors.length / count;
  const runtime = nodeRuntime();
  const program = await runtime.compile({
    scores: gemm(input("rows", ["rows", dim]), input("all", ["all", dim]), { transB: true }),
  });
  const all = f32([count, dim], vectors);
  const indices: number[][] = [];
  const distances: number[][] = [];
  const block = 512;
  for (let start = 0; start < count; start += block) {
    const end = Math.min(count, start + block);
    const rows = f32([end - start, dim], vectors.subarray(start * dim, end * dim));
    const { scores } = await program.run({ rows, all });
    for (let i = start; i < end; i++) {
      const best = largest((scores!.data as Float32Array).subarray((i - start) * count), count, i, k - 1);
      indices.push([i, ...best.map(({ index }) => index)]);
      distances.push([0, ...best.map(({ score }) => Math.max(0, 1 - score))]);
    }
  }
  await runtime.close();
  return { indices, distances };
}

/** The k largest of a row of scores, best first, without its own. */
function largest(
  scores: Float32Array,
  count: number,
  self: number,
  k: number,
): { index: number; score: number }[] {
  const best: { index: number; score: number }[] = [];
  for (let index = 0; index < count; index++) {
    const score = scores[index]!;
    if (index === self || (best.length === k && score <= best[k - 1]!.score)) continue;
    let place = best.length;
    while (place > 0 && best[place - 1]!.score < score) place--;
    best.splice(place, 0, { index, score });
    if (best.length > k) best.pop();
  }
  return best;
}

/** The vectors along the two directions in which they differ most. [count, 2] */
function mainDirections(vectors: Float32Array, count: number): Float32Array {
  const dim = count === 0 ? 0 : vectors.length / count;
  const mean = new Float64Array(dim);
  for (let i = 0; i < vectors.length; i++) mean[i % dim]! += vectors[i]! / count;
  const axes: Float64Array[] = [];
  const along = (i: number, axis: Float64Array): number => {
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += (vectors[i * dim + d]! - mean[d]!) * axis[d]!;
    return sum;
  };
  const rng = random("axes");
  for (let n = 0; n < 2; n++) {
    let axis: Float64Array = Float64Array.from({ length: dim }, () => rng.normal());
    // Power iteration: twenty rounds tell the directions apart as far as a picture needs it.
    for (let round = 0; round < 20; round++) {
      const next = new Float64Array(dim);
      for (let i = 0; i < count; i++) {
        const weight = along(i, axis);
        for (let d = 0; d < dim; d++) next[d]! += weight * (vectors[i * dim + d]! - mean[d]!);
      }
      axis = unit(orthogonal(next, axes));
    }
    axes.push(axis);
  }
  return Float32Array.from({ length: 2 * count }, (_, i) => along(i >> 1, axes[i & 1]!));
}

function orthogonal(vector: Float64Array, axes: readonly Float64Array[]): Float64Array {
  for (const axis of axes) {
    const share = vector.reduce((sum, v, d) => sum + v * axis[d]!, 0);
    vector = vector.map((v, d) => v - share * axis[d]!);
  }
  return vector;
}

function unit(vector: Float64Array): Float64Array {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((v) => v / length);
}

/** Scaled evenly into 0…1, centred. [n, 2] */
function intoSquare(points: Float32Array): Float32Array {
  const [low, high] = [
    [Infinity, Infinity],
    [-Infinity, -Infinity],
  ];
  for (const [i, value] of points.entries()) {
    low[i & 1] = Math.min(low[i & 1]!, value);
    high[i & 1] = Math.max(high[i & 1]!, value);
  }
  const side = Math.max(high[0]! - low[0]!, high[1]! - low[1]!) || 1;
  return points.map((value, i) => 0.5 + (value - (low[i & 1]! + high[i & 1]!) / 2) / side);
}
