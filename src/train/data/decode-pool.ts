import type { Seed } from "../../tensor/index.js";
import { limited } from "./limited.js";
import { pictureRow, pictureShape, type PictureOptions } from "./picture-rows.js";
import type { Broken, RowReader } from "./row-reader.js";
import type { Extent } from "./sample.js";
import { openWorkerPool, TOGETHER, wasClosed } from "./worker-pool.js";

export interface DecodeJob {
  readonly image: Extent | Uint8Array;
  readonly seed?: Seed;
}
export type Decoded = Float32Array<ArrayBuffer> | Broken;

/** Reads pictures that are samples, and those whose bytes somebody holds. */
export interface PictureRows extends RowReader {
  decode(image: Extent | Uint8Array, seed?: Seed): Promise<Float32Array | Broken>;
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
  return {
    ended: () => closed,
    shape: pictureShape(options),
    parallel: TOGETHER,
    decode: limited(TOGETHER, async (image: Extent | Uint8Array, seed?: Seed) => {
      if (closed) throw wasClosed();
      return pictureRow(image, options, seed);
    }),
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
    decode: (image, seed) => pool.run({ image, ...(seed === undefined ? {} : { seed }) }),
    close: () => pool.close(),
  };
}
