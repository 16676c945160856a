import { parentPort, Worker } from "node:worker_threads";
import { CliptError, messageOf } from "../../tensor/index.js";
import { limited } from "./limited.js";

/** Jobs that one thread works on at once: one picture is being resized while the next is being decoded. */
export const TOGETHER = 2;

type Answer<R> = { readonly id: number } & ({ readonly result: R } | { readonly failure: string });

/** Threads that all do the same kind of work. */
export interface WorkerPool<J, R> {
  /** Jobs that keep it busy; more than these only wait. */
  readonly parallel: number;
  /** Rejects when the pool is closed or a thread has died: it is closed then, too. */
  run(job: J): Promise<R>;
  ended(): boolean;
  /** Ends it at once; jobs under way are rejected. */
  close(): Promise<void>;
}

export const wasClosed = (): CliptError => new CliptError("cancelled", "The picture reader was closed.");

interface Pending<R> {
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

interface Member<R> {
  readonly worker: Worker;
  readonly pending: Map<number, Pending<R>>;
}

/**
 * Starts threads.
 *
 * @param program a module that calls `serveJobs`
 * @param options its `workerData`
 */
export function openWorkerPool<J, R>(program: URL, options: unknown, count: number): WorkerPool<J, R> {
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
  const members = Array.from({ length: count }, () =>
    start<R>(program, options, (reason) => void end(reason)),
  );

  return {
    // As many wait in a worker's port as are in work, so that it needs no answer to go on.
    parallel: 2 * TOGETHER * count,
    run: (job) =>
      new Promise((resolve, reject) => {
        const { worker, pending } = members.reduce((a, b) => (b.pending.size < a.pending.size ? b : a));
        if (ended !== undefined) return reject(ended);
        if (pending.size === 0) worker.ref();
        const id = nextId++;
        pending.set(id, { resolve, reject });
        worker.postMessage({ id, job });
      }),
    ended: () => ended !== undefined,
    close: async () => {
      await end(wasClosed());
    },
  };
}

function start<R>(program: URL, options: unknown, end: (reason: CliptError) => void): Member<R> {
  const pending = new Map<number, Pending<R>>();
  // Without the main program's own flags: --input-type, for one, is refused for a file.
  const worker = new Worker(program, { workerData: options, execArgv: [] });
  // An idle worker must not keep the program alive when nobody closes it; a read under way does.
  worker.unref();
  const stopped = (reason: string, cause?: unknown) =>
    end(new CliptError("failed", `A decode worker stopped: ${reason}`, { cause }));
  worker.on("message", (answer: Answer<R>) => {
    if ("failure" in answer) return stopped(answer.failure);
    const job = pending.get(answer.id);
    // Once the pool is closed, the worker stays referenced until it has ended.
    if (job === undefined) return;
    job.resolve(answer.result);
    pending.delete(answer.id);
    if (pending.size === 0) worker.unref();
  });
  worker.on("error", (error) => stopped(messageOf(error), error));
  worker.on("exit", (code) => stopped(`exit status ${code}`));
  return { worker, pending };
}

/**
 * In a thread: answers the pool's jobs.
 *
 * @param moved what of a result is moved instead of copied
 */
export function serveJobs<J, R>(work: (job: J) => Promise<R>, moved: (result: R) => ArrayBuffer[]): void {
  const send = (answer: Answer<R>, transfer: ArrayBuffer[] = []): void =>
    parentPort?.postMessage(answer, transfer);
  const serve = limited(TOGETHER, async (id: number, job: J): Promise<void> => {
    try {
      const result = await work(job);
      send({ id, result }, moved(result));
    } catch (error) {
      send({ id, failure: error instanceof Error ? (error.stack ?? error.message) : messageOf(error) });
    }
  });
  parentPort?.on("message", ({ id, job }: { id: number; job: J }) => void serve(id, job));
}
