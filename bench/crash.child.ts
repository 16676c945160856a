/** An indexer, or a queue's worker, that tells its parent what is written. It is killed. */
import type { TaskEvent } from "../src/task/event.js";
import { indexPictures } from "../src/task/index-pictures.js";
import { openServices } from "../src/task/services.js";
import { worker } from "../src/task/worker.js";

export interface CrashJob {
  readonly kind: "index" | "send" | "work";
  readonly folder: string;
  readonly model: string;
  readonly db: string;
}

export interface Said {
  /** Pictures that this process has written so far. */
  readonly written: number;
}

async function work({ kind, folder, model, db }: CrashJob): Promise<void> {
  const services = openServices({ decodeWorkers: 2 });
  let [ended, running] = [0, 0];
  const emit = (event: TaskEvent): void => {
    if (event.kind !== "progress" || event.stage !== "indexing") return;
    // A worker counts anew with each slice.
    if (event.done < running) ended += running;
    running = event.done;
    process.send?.({ written: ended + running } satisfies Said);
  };
  const context = { services, emit };
  if (kind === "index") await indexPictures({ folders: [folder], model, db }, context);
  else if (kind === "send") await indexPictures({ folders: [folder], model, queue: db }, context);
  else await worker({ queue: db, model, drain: true }, context);
  await services.close();
}

process.on("message", (job: CrashJob) => {
  void work(job).then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
