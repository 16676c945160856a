/** Runs in a worker: pictures in, rows out. */
import { workerData } from "node:worker_threads";
import type { DecodeJob, Decoded } from "./decode-pool.js";
import { pictureRow, type PictureOptions } from "./picture-rows.js";
import { serveJobs } from "./worker-pool.js";

const options = workerData as PictureOptions;

serveJobs<DecodeJob, Decoded>(
  ({ image, seed }) => pictureRow(image, options, seed),
  (row) => (row instanceof Float32Array ? [row.buffer] : []),
);
