import type { Store } from "../../store/index.js";
import { CliptError, random } from "../../tensor/index.js";
import type { Collection } from "./collection.js";
import type { Term } from "./term.js";

/** Of what is not wanted, this much is taken away: more takes what is wanted along. Measured: docs/the-index.md. */
const unwanted = 0.5;
/** A picture beside texts: it says much that nobody meant. */
const pictureBesideTexts = 0.6;
/** Pictures of the index that tell how far scores spread. */
const sampleSize = 256;

/**
 * The vector of a query, of length 1: the sum of its terms. Cosines with pictures spread further than those with texts, by how
 * much is the model's; so where there are both, each is divided by its spread over the index.
 *
 * @throws `input` when the terms cancel each other out
 */
export async function combine(terms: readonly Term[], collection: Collection): Promise<Float32Array> {
  const mixed = new Set(terms.map(({ kind }) => kind)).size > 1;
  const sample = mixed ? await sampleOf(collection) : [];
  const factors = terms.map(({ vector, weight, kind }) => {
    const signed = weight < 0 ? unwanted * weight : weight;
    if (!mixed) return signed;
    return ((kind === "picture" ? pictureBesideTexts : 1) * signed) / spread(vector, sample);
  });
  return sum(
    terms.map(({ vector }) => vector),
    factors,
  );
}

/**
 * Weighted, of length 1.
 *
 * @throws `input` when nothing is left
 */
export function sum(vectors: readonly Float32Array[], weights: readonly number[]): Float32Array {
  const total = new Float64Array(vectors[0]!.length);
  for (const [i, vector] of vectors.entries())
    for (let j = 0; j < total.length; j++) total[j]! += weights[i]! * vector[j]!;
  const length = Math.sqrt(total.reduce((squares, x) => squares + x * x, 0));
  if (!(length > 1e-6)) throw new CliptError("input", "The parts of the query cancel each other out.");
  return Float32Array.from(total, (x) => x / length);
}

/** Standard deviation of the cosines with a sample; 1 where there is too little to tell. */
function spread(vector: Float32Array, sample: readonly Float32Array[]): number {
  const { deviation } = cosinesWith(vector, sample);
  return deviation > 1e-4 ? deviation : 1;
}

/** How the cosines of a vector with a sample lie; a mean of 0 where there is no sample. */
export function cosinesWith(
  vector: Float32Array,
  sample: readonly Float32Array[],
): { mean: number; deviation: number } {
  if (sample.length === 0) return { mean: 0, deviation: 0 };
  const cosines = sample.map((row) => dot(vector, row));
  const mean = cosines.reduce((a, b) => a + b, 0) / cosines.length;
  const variance = cosines.reduce((a, b) => a + (b - mean) ** 2, 0) / cosines.length;
  return { mean, deviation: Math.sqrt(variance) };
}

export function dot(a: Float32Array, b: Float32Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

/** By the store and the model's identity. */
const samples = new WeakMap<Store, Map<string, readonly Float32Array[]>>();

/**
 * Vectors of the index, the same ones as long as it is open, once there are enough of them. They lie in a direction that
 * means nothing.
 */
export async function sampleOf({ store, identity, encoder }: Collection): Promise<readonly Float32Array[]> {
  const known = samples.get(store)?.get(identity);
  if (known !== undefined) return known;
  const numbers = random(1);
  const vector = Float32Array.from({ length: encoder.model.config.embedDim }, () => numbers.normal());
  const hits = await store.query({ identity, vector, k: sampleSize, vectors: true });
  const sample = hits.flatMap(({ vector }) => vector ?? []);
  if (sample.length === sampleSize) samples.set(store, new Map(samples.get(store)).set(identity, sample));
  return sample;
}
