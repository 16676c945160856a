import { stat } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { messageOf } from "../tensor/index.js";
import { dbField, openCollection, type Collection } from "./collection/collection.js";
import { flag, modelFields, words } from "./fields.js";
import { indexFiles, type FoundFile } from "./indexing/index-files.js";
import { pictureFields } from "./indexing/picture-fields.js";
import { IndexQueue, type Slice } from "./indexing/queue.js";
import { defineTask, type Context } from "./task.js";

/** A worker that has nothing to do asks this often. */
const askEveryMs = 500;
const touchEveryMs = 4000;

export const worker = defineTask({
  name: "worker",
  details:
    "Takes parts of the work that `clipt index --queue` has sent, on as many machines as there are, and writes vectors into the index. The files must lie at the same paths on all of them. A part whose worker dies is given to another; one that fails five times is put aside.",
  input: z.object({
    queue: words("PostgreSQL server with the queue: postgres://user:password@host/database"),
    db: dbField,
    drain: flag("End when nothing is left, instead of waiting for more").default(false),
    failed: flag("List the parts that were put aside, and do nothing else").default(false),
    retry: flag("Give the parts that were put aside another chance, first").default(false),
    ...modelFields,
  }),
  output: z.object({
    parts: z.number().describe("Parts of the work that were done"),
    added: z.number(),
    reused: z.number(),
    skipped: z.number(),
    failed: z.array(z.object({ id: z.string(), files: z.array(z.string()).readonly(), reason: z.string() })),
  }),
  positional: ["queue"],
  examples: [
    { title: "On each machine", input: { queue: "postgres://clipt@db.example/photos" } },
    { title: "What failed", input: { queue: "postgres://clipt@db.example/photos", failed: true } },
  ],
  async run({ queue: url, db = url, ...input }, context) {
    const collection = await openCollection({ ...input, db, inBulk: true }, context.services);
    const queue = await IndexQueue.open(url, collection.identity).catch(async (error: unknown) => {
      await collection.close();
      throw error;
    });
    const done = { parts: 0, added: 0, reused: 0, skipped: 0 };
    try {
      await collection.store.declare(pictureFields);
      if (input.retry) await queue.retry();
      while (!input.failed && !context.signal.aborted) {
        const taken = await queue.take();
        if (taken === undefined) {
          if (input.drain && (await queue.left()) === 0) break;
          await wait(askEveryMs, undefined, { signal: context.signal }).catch(() => {});
          continue;
        }
        const touching = setInterval(() => void queue.touch(taken.id).catch(() => {}), touchEveryMs);
        try {
          const { added, reused, broken } = await work(taken.slice, collection, context);
          await queue.complete(taken.id);
          done.parts++;
          done.added += added;
          done.reused += reused;
          done.skipped += broken.length;
        } catch (error) {
          await queue.fail(taken.id, context.signal.aborted ? "The worker was stopped." : messageOf(error));
          if (!context.signal.aborted) context.emit({ kind: "warning", message: messageOf(error) });
        } finally {
          clearInterval(touching);
        }
      }
      if (done.added > 0)
        await collection.store.compact((stage, part, total) =>
          context.emit({ kind: "progress", stage, done: part, total }),
        );
      return { ...done, failed: await queue.failed() };
    } finally {
      await queue.close();
      await collection.close();
    }
  },
});

/** Indexes what of a slice is still to be done: another try may have done a part. */
async function work({ files, exact }: Slice, collection: Collection, context: Context) {
  const { store, identity } = collection;
  const known = await store.get(
    files.map(({ file }) => file.path),
    identity,
  );
  const fresh: FoundFile[] = [];
  for (const [i, found] of files.entries()) {
    const before = known[i];
    const info = await stat(found.file.path).catch(() => undefined);
    // Deleted since; the next look at the folder takes it out.
    if (info === undefined) continue;
    const file = { path: found.file.path, size: info.size, mtimeMs: info.mtimeMs };
    const { size, modified } = before?.fields ?? {};
    const same = size === file.size && modified === Math.round(file.mtimeMs);
    if (!same || before?.vectors?.[identity] === undefined) fresh.push({ ...found, file });
  }
  return indexFiles(fresh, collection, { exact }, context);
}
