import type { Seed } from "../../tensor/index.js";
import { limited } from "./limited.js";
import type { PictureOptions } from "./picture-rows.js";
import { pictureShape } from "./picture-shape.js";
import type { Broken, RowReader } from "./row-reader.js";
import type { Extent } from "./sample.js";
import { openWorkerPool, TOGETHER, wasClosed } from "./worker-pool.js";

export interface DecodeJob {
  readonly image: Extent | Uint8Array;
  readonly seed?: Seed;
  /** Where the row is written; then it is no part of the answer. */
  readonly into?: SharedRow;
}
export type Decoded = Float32Array<ArrayBuffer> | Broken | undefined;

/** Pixels of one picture in memory that threads share. */
export type SharedRow = Float32Array<SharedArrayBuffer>;

/** Reads pictures that are samples, and those whose bytes somebody holds. */
export interface PictureRows extends RowReader {
  decode(image: Extent | Uint8Array, seed?: Seed): Promise<Float32Array | Broken>;
  /** As `decode`, without a copy. @returns why the picture cannot be used, or undefined */
  decodeInto(image: Extent | Uint8Array, into: SharedRow): Promise<Broken | undefined>;
  /** Whether it was closed, or one of its threads failed: it reads nothing more. */
  ended(): boolean;
}

/**
 * Decoded pictures, [3, height, width] each. Workers read the files themselves, so that only references go there and
 * only finished rows come back, moved and not copied. With 0 workers the work is done in this thread.
 */
export function openPictureRows(options: PictureOptions, workers: number): PictureRows {
  const rows = workers === 0 ? inThisThread(options) : inWorkers(options, workers);
  return { ...rows, read: ({ image }, seed) => rows.decode(image, seed) };
}

type Rows = Omit<PictureRows, "read">;

function inThisThread(options: PictureOptions): Rows {
  let closed = false;
  const decode = limited(TOGETHER, async (image: Extent | Uint8Array, seed?: Seed, into?: SharedRow) => {
    if (closed) throw wasClosed();
    const { pictureRow } = await import("./picture-rows.js");
    return pictureRow<ArrayBufferLike>(image, options, seed, into);
  });
  return {
    ended: () => closed,
    shape: pictureShape(options),
    parallel: TOGETHER,
    decode: (image, seed) => decode(image, seed),
    async decodeInto(image, into) {
      const row = await decode(image, undefined, into);
      return row instanceof Float32Array ? undefined : row;
    },
    close: async () => {
      closed = true;
    },
  };
}

function inWorkers(options: PictureOptions, count: number): Rows {
  const program = new URL("./decode-worker.js", import.meta.url);
  const pool = openWorkerPool<DecodeJob, Decoded>(program, options, count);
  return {
    ended: () => pool.ended(),
    shape: pictureShape(options),
    parallel: pool.parallel,
    decode: (image, seed) =>
      pool.run({ image, ...(seed === undefined ? {} : { seed }) }) as Promise<Float32Array | Broken>,
    decodeInto: (image, into) => pool.run({ image, into }) as Promise<Broken | undefined>,
    close: () => pool.close(),
  };
}
