import type { Encoder } from "../model/index.js";
import { CliptError, tensor, type Tensor } from "../tensor/index.js";
import { inOrder } from "../train/data/in-order.js";
import type { PictureOptions, Sample } from "../train/data/index.js";
import { rowsOf } from "./embeddings/embeddings.js";
import type { Context } from "./task.js";

/** Pictures in one run of the tower: enough to fill its matrix products, few enough for a quick first answer. */
const batchSize = 16;

export interface Encoded<T> {
  readonly item: T;
  /** Length 1. */
  readonly vector: Float32Array;
  /** [3, height, width], as the model saw it. */
  readonly pixels: Float32Array;
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
  let [tried, used] = [0, 0];
  let lastReason = "";

  const decodeItem = async (item: T) => ({ item, row: await rows.read(sample(item)) });
  async function* batches(): AsyncGenerator<{ items: T[]; rows: Float32Array[] }> {
    let batch = { items: [] as T[], rows: [] as Float32Array[] };
    for await (const { item, row } of inOrder(stream(items), decodeItem, 2 * batchSize + rows.parallel)) {
      signal.throwIfAborted();
      tried++;
      if (!(row instanceof Float32Array)) {
        lastReason = `${sample(item).key}: ${row.reason}`;
        emit({ kind: "skipped", item: sample(item).key, reason: row.reason });
        continue;
      }
      batch.items.push(item);
      batch.rows.push(row);
      if (batch.rows.length < batchSize) continue;
      yield batch;
      batch = { items: [], rows: [] };
    }
    if (batch.rows.length > 0) yield batch;
  }
  const encode = async (batch: { items: T[]; rows: Float32Array[] }) => ({
    items: batch.items,
    rows: batch.rows,
    features: await encoder.images(stack(batch.rows, rows.shape)),
  });

  try {
    for await (const { items: done, rows: pixels, features } of inOrder(batches(), encode, 2)) {
      const vectors = rowsOf(features as Tensor<"float32">);
      for (const [i, item] of done.entries()) yield { item, vector: vectors[i]!, pixels: pixels[i]! };
      used += done.length;
      emit({ kind: "progress", stage: "encoding pictures", done: tried, total: items.length });
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

async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

function stack(rows: readonly Float32Array[], shape: readonly number[]): Tensor<"float32"> {
  const size = rows[0]?.length ?? 0;
  const data = new Float32Array(rows.length * size);
  rows.forEach((row, i) => data.set(row, i * size));
  return tensor("float32", [rows.length, ...shape], data);
}
