import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { CliptError } from "../tensor/index.js";
import { dbField, openCollection } from "./collection/collection.js";
import { exactField } from "./decoding.js";
import { count, flag, list, modelFields } from "./fields.js";
import { indexFolders, realFolder, type Indexed } from "./indexing/index-folders.js";
import { indexPaths, isAway } from "./indexing/index-paths.js";
import { FolderWatch } from "./indexing/folder-watch.js";
import { defineTask } from "./task.js";

/** What came since is looked at this often. */
const lookEveryMs = 500;
/** Changes after which the index is tidied up. */
const worthCompacting = 500;

export const watch = defineTask({
  name: "watch",
  details:
    "Indexes the folders as `clipt index` does, then follows them: new and changed pictures as soon as they are written entirely, renamed ones without encoding them again, deleted ones. A folder that disappears (a drive, a network share) loses nothing; when it is back, it is looked through. Ctrl-C ends it.",
  input: z.object({
    folders: list("FOLDER", "Folders with pictures, searched to any depth"),
    db: dbField,
    ignore: list(
      "PATTERN",
      "Names and paths to leave out, as in .gitignore; a folder's file .cliptignore says the same",
    ).default([]),
    poll: flag(
      "Look for changes again and again, where the system does not tell them: network shares",
    ).default(false),
    pollSeconds: count("Seconds between two looks of --poll").default(5),
    rescanMinutes: count(
      "Look through everything this often, in case the system kept a change to itself",
    ).default(60),
    exact: exactField,
    ...modelFields,
  }),
  output: z.object({
    added: z.number().describe("Pictures that were encoded"),
    reused: z.number(),
    deleted: z.number(),
    skipped: z.number(),
    pictures: z.number().describe("Pictures in the index"),
    db: z.string(),
  }),
  positional: ["folders"],
  examples: [{ title: "Photos as they come", input: { folders: ["photos"] } }],
  async run(input, context) {
    const { signal, emit } = context;
    const collection = await openCollection(input, context.services);
    const { store } = collection;
    const total = { added: 0, reused: 0, deleted: 0, skipped: 0 };
    let untidy = 0;
    const tidy = async (): Promise<void> => {
      untidy = 0;
      await store.compact((stage, done, of) => emit({ kind: "progress", stage, done, total: of }));
    };
    const note = (done: Omit<Indexed, "unchanged">): void => {
      for (const key of ["added", "reused", "deleted", "skipped"] as const) total[key] += done[key];
      untidy += done.added + done.reused + done.deleted;
      const said = (["added", "reused", "deleted"] as const).flatMap((key) =>
        done[key] > 0 ? `${done[key]} ${key === "reused" ? "moved or copied" : key}` : [],
      );
      if (said.length > 0) emit({ kind: "note", message: said.join(", ") });
    };
    /** Looks through folders; one that is empty or not there now is a warning and nothing else. */
    const lookThrough = async (folder: string): Promise<void> => {
      try {
        note(await indexFolders([folder], collection, input, context));
        untidy = 0;
      } catch (error) {
        if (signal.aborted || !(error instanceof CliptError) || !["input", "missing"].includes(error.code))
          throw error;
        emit({ kind: "warning", message: error.message });
      }
    };

    try {
      const roots = await Promise.all(input.folders.map(realFolder));
      // Before the first look, so that nothing falls between.
      const watched = new FolderWatch(roots, input, (message) => emit({ kind: "warning", message }));
      try {
        for (const root of roots) await lookThrough(root);
        await watched.ready();
        emit({ kind: "note", message: `Watching ${roots.join(", ")}. Ctrl-C ends it.` });
        let scanned = Date.now();
        const away = new Set<string>();
        while (!signal.aborted) {
          for (const root of roots) {
            if (await isAway(root, away.has(root), store)) {
              if (!away.has(root))
                emit({ kind: "warning", message: `${root} is away. What the index knows of it stays.` });
              away.add(root);
            } else if (away.delete(root)) {
              emit({ kind: "note", message: `${root} is back.` });
              await watched.again();
              await lookThrough(root);
            }
          }
          const changed = watched.take().filter((path) => !away.has(watched.rootOf(path)));
          if (changed.length > 0) note(await indexPaths(changed, roots, collection, input, context));
          if (Date.now() - scanned > input.rescanMinutes * 60_000) {
            scanned = Date.now();
            for (const root of roots) if (!away.has(root)) await lookThrough(root);
          } else if (untidy >= worthCompacting) await tidy();
          await wait(lookEveryMs, undefined, { signal }).catch(() => {});
        }
      } catch (error) {
        // Ctrl-C is how it ends.
        if (!signal.aborted) throw error;
      } finally {
        await watched.close();
      }
      if (untidy > 0) await tidy();
      return { ...total, pictures: await store.count(), db: store.url };
    } finally {
      await collection.close();
    }
  },
});
