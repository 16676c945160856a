import type { SharedRow } from "../../train/data/decode-pool.js";
import type { PictureOptions } from "../../train/data/picture-rows.js";
import { pictureShape } from "../../train/data/picture-shape.js";
import type { Broken } from "../../train/data/row-reader.js";
import { openWorkerPool, TOGETHER } from "../../train/data/worker-pool.js";
import type { HashedFile, PictureJob, ReadPicture } from "./read-picture.js";

/** Reads files for the index, in threads. */
export interface PictureReader {
  readonly shape: readonly number[];
  readonly parallel: number;
  hash(path: string): Promise<HashedFile | Broken>;
  picture(path: string, into: SharedRow): Promise<ReadPicture | Broken>;
  /** Whether it was closed, or one of its threads failed: it reads nothing more. */
  ended(): boolean;
  /** Ends it at once; reads under way are rejected. */
  close(): Promise<void>;
}

/** @param workers 0: everything in this thread */
export function openPictureReader(options: PictureOptions, workers: number): PictureReader {
  const program = new URL("./picture-worker.js", import.meta.url);
  const pool = workers === 0 ? undefined : openWorkerPool<PictureJob, unknown>(program, options, workers);
  const run = async (job: PictureJob): Promise<unknown> =>
    pool === undefined ? (await import("./read-picture.js")).readPicture(job, options) : pool.run(job);
  return {
    shape: pictureShape(options),
    parallel: pool?.parallel ?? TOGETHER,
    hash: (path) => run({ path }) as Promise<HashedFile | Broken>,
    picture: (path, into) => run({ path, into }) as Promise<ReadPicture | Broken>,
    ended: () => pool?.ended() ?? false,
    close: async () => pool?.close(),
  };
}
