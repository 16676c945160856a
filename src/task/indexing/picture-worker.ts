/** Runs in a worker: files in; hashes, rows of pixels and metadata out. */
import { workerData } from "node:worker_threads";
import type { PictureOptions } from "../../train/data/picture-rows.js";
import { serveJobs } from "../../train/data/worker-pool.js";
import { readPicture, type PictureJob } from "./read-picture.js";

const options = workerData as PictureOptions;

serveJobs(
  (job: PictureJob) => readPicture(job, options),
  () => [],
);
