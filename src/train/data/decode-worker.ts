/** Runs in a worker: pictures in, rows out. */
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../../tensor/index.js";
import { TOGETHER, type Answer, type Job } from "./decode-pool.js";
import { limited } from "./limited.js";
import { pictureRow, type PictureOptions } from "./picture-rows.js";

const options = workerData as PictureOptions;

const work = limited(TOGETHER, async ({ id, image, seed }: Job): Promise<void> => {
  try {
    const row = await pictureRow(image, options, seed);
    if (row instanceof Float32Array) send({ id, row }, [row.buffer]);
    else send({ id, broken: row });
  } catch (error) {
    send({ id, failure: error instanceof Error ? (error.stack ?? error.message) : messageOf(error) });
  }
});

const send = (answer: Answer, transfer: ArrayBuffer[] = []): void =>
  parentPort?.postMessage(answer, transfer);

parentPort?.on("message", (job: Job) => void work(job));
