/** Runs in a worker: vectors in, places on a plane out. */
import { parentPort, workerData } from "node:worker_threads";
import { layOutVectors } from "./map-layout.js";

export interface LayoutJob {
  /** [count, dim], unit length */
  readonly vectors: Float32Array;
  readonly count: number;
}

export type LayoutAnswer =
  { /** 0…1 */ readonly done: number } | { /** [count, 2], 0…1 */ readonly points: Float32Array };

const { vectors, count } = workerData as LayoutJob;
const send = (answer: LayoutAnswer, transfer: ArrayBuffer[] = []): void =>
  parentPort?.postMessage(answer, transfer);

const points = await layOutVectors(vectors, count, (done) => send({ done }));
send({ points }, [points.buffer as ArrayBuffer]);
