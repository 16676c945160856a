/** Runs in a worker: pictures in, rows out. */
import { workerData } from "node:worker_threads";
import type { DecodeJob, Decoded } from "./decode-pool.js";
import { pictureRow, type PictureOptions } from "./picture-rows.js";
import { serveJobs } from "./worker-pool.js";

const options = workerData as PictureOptions;

serveJobs<DecodeJob, Decoded>(
  async ({ image, seed, into }) => {
    if (into === undefined) return pictureRow(image, options, seed);
    const row = await pictureRow(image, options, seed, into);
    return row instanceof Float32Array ? undefined : row;
  },
  (row) => (row instanceof Float32Array ? [row.buffer] : []),
);
