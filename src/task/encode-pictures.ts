import type { Encoder } from "../model/index.js";
import { CliptError, f32 } from "../tensor/index.js";
import type { SharedRow } from "../train/data/decode-pool.js";
import { inOrder } from "../train/data/in-order.js";
import type { Broken } from "../train/data/row-reader.js";
import type { PictureOptions, Sample } from "../train/data/index.js";
import { rowsOf } from "./embeddings/embeddings.js";
import type { Context } from "./task.js";

/**
 * Pictures in one run of the tower: enough to fill its matrix products, few enough for a quick first answer, and that towers
 * which share the work end at about the same time.
 */
const batchSize = 8;
/** Batches that are with the towers: each of two has one in work and one that waits, though answers come in order. */
const encodedAtOnce = 4;

export interface Encoded<T> {
  readonly item: T;
  /** Length 1. */
  readonly vector: Float32Array;
}

/** How items become rows of pixels. */
export interface Reading<T, R> {
  /** Writes an item's row, and resolves to what else is known of it. */
  readonly read: (item: T, into: SharedRow) => Promise<R | Broken>;
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
  const reading: Reading<T, object> = {
    read: async (item, into) => (await rows.decodeInto(sample(item).image, into)) ?? {},
    shape: rows.shape,
    parallel: rows.parallel,
  };
  const skip = (item: T, { reason }: Broken): void => {
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
export async function* encodeStream<T, R extends object>(
  items: AsyncGenerator<T>,
  { read, shape, parallel }: Reading<T, R>,
  encoder: Encoder,
  skip: (item: T, broken: Broken) => void,
  signal: AbortSignal,
): AsyncGenerator<readonly (Encoded<T> & { readonly read: R })[]> {
  const size = shape.reduce((a, b) => a * b);
  const spare: SharedRow[] = [];
  let opening: Promise<unknown> | undefined;
  const readBatch = async (part: readonly T[]) => {
    // While the first pictures are read. What fails here, the first run throws.
    opening ??= encoder.openImages().catch(() => {});
    // Threads write the pixels where the tower finds them; new memory for each batch would keep the collector busy.
    const pixels = spare.pop() ?? new Float32Array(new SharedArrayBuffer(4 * batchSize * size));
    const rowAt = (i: number): SharedRow => pixels.subarray(i * size, (i + 1) * size);
    const results = await Promise.all(part.map((item, i) => read(item, rowAt(i))));
    return { part, pixels, rowAt, results };
  };
  const encode = async ({ part, pixels, rowAt, results }: Awaited<ReturnType<typeof readBatch>>) => {
    const read: { item: T; read: R }[] = [];
    const broken: { item: T; why: Broken }[] = [];
    for (const [i, result] of results.entries()) {
      const item = part[i]!;
      if ("reason" in result) broken.push({ item, why: result });
      else if (read.push({ item, read: result }) <= i) rowAt(read.length - 1).set(rowAt(i));
    }
    const features =
      read.length === 0
        ? undefined
        : await encoder.images(f32([read.length, ...shape], pixels.subarray(0, read.length * size)));
    spare.push(pixels);
    return { read, broken, features };
  };
  const ahead = Math.ceil((2 * batchSize + parallel) / batchSize);
  const readAhead = inOrder(batches(items, batchSize), readBatch, ahead);
  for await (const { read, broken, features } of inOrder(readAhead, encode, encodedAtOnce)) {
    signal.throwIfAborted();
    for (const { item, why } of broken) skip(item, why);
    if (features === undefined) continue;
    const vectors = rowsOf(features);
    yield read.map((known, i) => ({ ...known, vector: vectors[i]! }));
  }
}

async function* batches<T>(items: AsyncGenerator<T>, size: number): AsyncGenerator<readonly T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
