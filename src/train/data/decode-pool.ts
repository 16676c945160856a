import { Worker } from "node:worker_threads";
import { CliptError, messageOf, type Seed } from "../../tensor/index.js";
import { limited } from "./limited.js";
import { pictureRow, pictureShape, type PictureOptions } from "./picture-rows.js";
import type { Broken, RowReader } from "./row-reader.js";
import type { Extent } from "./sample.js";

export interface Job {
  readonly id: number;
  readonly image: Extent | Uint8Array;
  readonly seed?: Seed;
}

/** Reads pictures that are samples, and those whose bytes somebody holds. */
export interface PictureRows extends RowReader {
  decode(image: Extent | Uint8Array, seed?: Seed): Promise<Float32Array | Broken>;
  /** Whether it was closed, or one of its threads failed: it reads nothing more. */
  ended(): boolean;
}

export type Answer = { readonly id: number } & (
  { readonly row: Float32Array } | { readonly broken: Broken } | { readonly failure: string }
);

/**
 * Decoded pictures, [3, height, width] each. Workers read the files themselves, so that only references go there and
 * only finished rows come back, moved and not copied. With 0 workers the work is done in this thread.
 */
export function openPictureRows(options: PictureOptions, workers: number): PictureRows {
  const rows = workers === 0 ? inThisThread(options) : inWorkers(options, workers);
  return { ...rows, read: ({ image }, seed) => rows.decode(image, seed) };
}

type Rows = Omit<PictureRows, "read">;

/** Pictures that one thread works on at once: one is being resized while the next is being decoded. */
export const TOGETHER = 2;

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

const wasClosed = (): CliptError => new CliptError("cancelled", "The picture reader was closed.");

interface Pending {
  readonly resolve: (row: Float32Array | Broken) => void;
  readonly reject: (error: unknown) => void;
}

interface Member {
  readonly worker: Worker;
  readonly pending: Map<number, Pending>;
}

function inWorkers(options: PictureOptions, count: number): Rows {
  let ended: CliptError | undefined;
  let nextId = 0;
  const end = (reason: CliptError): Promise<unknown> => {
    ended ??= reason;
    for (const { pending } of members) {
      for (const { reject } of pending.values()) reject(ended);
      pending.clear();
    }
    return Promise.all(
      members.map(({ worker }) => {
        // Without it the program could end, as if stuck, before the worker has.
        worker.ref();
        return worker.terminate();
      }),
    );
  };
  const members = Array.from({ length: count }, () => start(options, (reason) => void end(reason)));

  return {
    ended: () => ended !== undefined,
    shape: pictureShape(options),
    // As many wait in a worker's port as are in work, so that it needs no answer to go on.
    parallel: 2 * TOGETHER * count,
    decode: (image, seed) =>
      new Promise((resolve, reject) => {
        const { worker, pending } = members.reduce((a, b) => (b.pending.size < a.pending.size ? b : a));
        if (ended !== undefined) return reject(ended);
        if (pending.size === 0) worker.ref();
        const id = nextId++;
        pending.set(id, { resolve, reject });
        const job: Job = { id, image, ...(seed === undefined ? {} : { seed }) };
        worker.postMessage(job);
      }),
    close: async () => {
      await end(wasClosed());
    },
  };
}

function start(options: PictureOptions, end: (reason: CliptError) => void): Member {
  const pending = new Map<number, Pending>();
  // Without the main program's own flags: --input-type, for one, is refused for a file.
  const worker = new Worker(new URL("./decode-worker.js", import.meta.url), {
    workerData: options,
    execArgv: [],
  });
  // An idle worker must not keep the program alive when nobody closes it; a read under way does.
  worker.unref();
  const stopped = (reason: string, cause?: unknown) =>
    end(new CliptError("failed", `A decode worker stopped: ${reason}`, { cause }));
  worker.on("message", (answer: Answer) => {
    if ("failure" in answer) return stopped(answer.failure);
    const read = pending.get(answer.id);
    if (read === undefined) return;
    read.resolve("row" in answer ? answer.row : answer.broken);
    pending.delete(answer.id);
    if (pending.size === 0) worker.unref();
  });
  worker.on("error", (error) => stopped(messageOf(error), error));
  worker.on("exit", (code) => stopped(`exit status ${code}`));
  return { worker, pending };
}
