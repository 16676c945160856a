import { z } from "zod";
import { dbField, openCollection, type Collection } from "./collection/collection.js";
import { exactField } from "./decoding.js";
import { file, flag, list, modelFields, words } from "./fields.js";
import { indexFolders } from "./indexing/index-folders.js";
import { readMetadata } from "./indexing/metadata-table.js";
import { sendToWorkers } from "./indexing/send-to-workers.js";
import { defineTask } from "./task.js";

export const indexPictures = defineTask({
  name: "index",
  details:
    "The index keeps a vector, the file's data and what the camera wrote (date, place, camera) for each picture, so that searching needs no folder. Run again, it takes new, changed, moved and deleted files into account; unchanged ones cost nothing, and moved ones are not encoded again. Stopped at any moment, it goes on from there.",
  input: z.object({
    folders: list("FOLDER", "Folders with pictures, searched to any depth"),
    db: dbField,
    ignore: list(
      "PATTERN",
      "Names and paths to leave out, as in .gitignore; a folder's file .cliptignore says the same",
    ).default([]),
    allowEmpty: flag("A folder without pictures lost them: no drive is missing").default(false),
    retry: flag("Try files again that could not be used before and have not changed").default(false),
    metadata: file(
      "CSV, TSV or JSON lines with a column path: its other columns become fields to search by",
    ).optional(),
    queue: words(
      "Send the work to workers on other machines (clipt worker) by this PostgreSQL server; the index is there, too, unless --db says otherwise",
    ).optional(),
    replace: flag("When every picture has a vector of this model, drop those of other models").default(false),
    exact: exactField,
    ...modelFields,
  }),
  output: z.object({
    added: z.number().describe("Pictures that were encoded"),
    reused: z.number().describe("Moved, renamed or copied files, whose content had a vector"),
    unchanged: z.number(),
    deleted: z.number(),
    skipped: z.number().describe("Files that cannot be used"),
    queued: z.number().optional().describe("Pictures that workers will encode"),
    pictures: z.number().describe("Pictures in the index"),
    db: z.string(),
  }),
  positional: ["folders"],
  examples: [
    { title: "All photos of a folder", input: { folders: ["photos"] } },
    {
      title: "By workers on several machines",
      input: { folders: ["/mnt/photos"], queue: "postgres://clipt@db.example/photos" },
    },
    { title: "Into a database of one's own", input: { folders: ["photos", "scans"], db: "photos.db" } },
  ],
  async run({ metadata: table, queue, db = queue, replace, ...input }, context) {
    const metadata = table === undefined ? undefined : await readMetadata(table);
    const collection = await openCollection({ ...input, db, inBulk: true }, context.services);
    const { store } = collection;
    try {
      const options = { ...input, metadata };
      const done =
        queue === undefined
          ? await indexFolders(input.folders, collection, options, context)
          : await sendToWorkers(queue, input.folders, collection, options, context);
      if (replace) await dropOtherSets(collection);
      return { ...done, pictures: await store.count(), db: store.url };
    } finally {
      await collection.close();
    }
  },
});

/** Only when nothing would be lost: searching goes on with the old vectors until then. */
async function dropOtherSets({ store, identity }: Collection): Promise<void> {
  if ((await store.list({ lacking: identity, limit: 1 })).length > 0) return;
  for (const set of await store.sets()) if (set.identity !== identity) await store.dropSet(set.identity);
}
