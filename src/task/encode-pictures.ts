import type { Encoder } from "../model/index.js";
import { CliptError, tensor, type Tensor } from "../tensor/index.js";
import { inOrder } from "../train/data/in-order.js";
import type { Broken } from "../train/data/row-reader.js";
import type { PictureOptions, Sample } from "../train/data/index.js";
import { rowsOf } from "./embeddings/embeddings.js";
import type { Context } from "./task.js";

/** Pictures in one run of the tower: enough to fill its matrix products, few enough for a quick first answer. */
const batchSize = 16;

export interface Encoded<T> {
  readonly item: T;
  /** Length 1. */
  readonly vector: Float32Array;
}

/** How items become rows of pixels. */
export interface Reading<T, R extends { readonly row: Float32Array }> {
  readonly read: (item: T) => Promise<R | Broken>;
  /** Of a row. */
  readonly shape: readonly number[];
  /** Reads under way at once. */
  readonly parallel: number;
}

/**
 * Decodes and encodes pictures in their order, decoding in threads while the tower runs. Broken ones are skipped.
 *
 * @throws `input` when pictures were given and none can be used
 */
export async function* encodePictures<T>(
  items: readonly T[],
  sample: (item: T) => Sample,
  encoder: Encoder,
  decode: NonNullable<PictureOptions["decode"]>,
  { services, signal, emit }: Context,
): AsyncGenerator<Encoded<T>> {
  if (items.length === 0) return;
  const { preprocess } = encoder.model;
  const rows = await services.pictureRows({ preprocess, decode }, items.length);
  let [used, broken] = [0, 0];
  let lastReason = "";
  const tell = (): void =>
    emit({ kind: "progress", stage: "encoding pictures", done: used + broken, total: items.length });
  const reading: Reading<T, { row: Float32Array }> = {
    async read(item) {
      const row = await rows.read(sample(item));
      return row instanceof Float32Array ? { row } : row;
    },
    shape: rows.shape,
    parallel: rows.parallel,
  };
  const skip = (item: T, reason: string): void => {
    broken++;
    lastReason = `${sample(item).key}: ${reason}`;
    emit({ kind: "skipped", item: sample(item).key, reason });
  };
  try {
    for await (const batch of encodeStream(stream(items), reading, encoder, skip, signal)) {
      for (const { item, vector } of batch) yield { item, vector };
      used += batch.length;
      tell();
    }
  } finally {
    await rows.close();
  }
  if (used === 0)
    throw new CliptError(
      "input",
      items.length === 1
        ? lastReason
        : `None of the ${items.length} pictures can be used; the last: ${lastReason}`,
    );
}

/**
 * Reads and encodes a stream in its order, in batches: while the tower works on one, the next is being read. Reading ahead is
 * bounded; a consumer that takes its time stops it.
 *
 * @param skip is told of broken items
 */
export async function* encodeStream<T, R extends { readonly row: Float32Array }>(
  items: AsyncGenerator<T>,
  { read, shape, parallel }: Reading<T, R>,
  encoder: Encoder,
  skip: (item: T, reason: string) => void,
  signal: AbortSignal,
): AsyncGenerator<readonly (Encoded<T> & { readonly read: R })[]> {
  interface Batch {
    items: T[];
    reads: R[];
  }
  const readItem = async (item: T) => ({ item, result: await read(item) });
  async function* batches(): AsyncGenerator<Batch> {
    let batch: Batch = { items: [], reads: [] };
    for await (const { item, result } of inOrder(items, readItem, 2 * batchSize + parallel)) {
      signal.throwIfAborted();
      if ("reason" in result) {
        skip(item, result.reason);
        continue;
      }
      batch.items.push(item);
      batch.reads.push(result);
      if (batch.items.length < batchSize) continue;
      yield batch;
      batch = { items: [], reads: [] };
    }
    if (batch.items.length > 0) yield batch;
  }
  const encode = async (batch: Batch) => ({
    ...batch,
    features: await encoder.images(
      stack(
        batch.reads.map(({ row }) => row),
        shape,
      ),
    ),
  });
  for await (const { items: done, reads, features } of inOrder(batches(), encode, 2)) {
    const vectors = rowsOf(features as Tensor<"float32">);
    yield done.map((item, i) => ({ item, vector: vectors[i]!, read: reads[i]! }));
  }
}

async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

function stack(rows: readonly Float32Array[], shape: readonly number[]): Tensor<"float32"> {
  const size = rows[0]?.length ?? 0;
  const data = new Float32Array(rows.length * size);
  rows.forEach((row, i) => data.set(row, i * size));
  return tensor("float32", [rows.length, ...shape], data);
}
