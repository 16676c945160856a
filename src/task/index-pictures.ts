import { z } from "zod";
import { dbField, openCollection } from "./collection/collection.js";
import { exactField } from "./decoding.js";
import { flag, list, modelFields } from "./fields.js";
import { indexFolders } from "./indexing/index-folders.js";
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
    exact: exactField,
    ...modelFields,
  }),
  output: z.object({
    added: z.number().describe("Pictures that were encoded"),
    reused: z.number().describe("Moved, renamed or copied files, whose content had a vector"),
    unchanged: z.number(),
    deleted: z.number(),
    skipped: z.number().describe("Files that cannot be used"),
    pictures: z.number().describe("Pictures in the index"),
    db: z.string(),
  }),
  positional: ["folders"],
  examples: [
    { title: "All photos of a folder", input: { folders: ["photos"] } },
    { title: "Into a database of one's own", input: { folders: ["photos", "scans"], db: "photos.db" } },
  ],
  async run(input, context) {
    const collection = await openCollection(input, context.services);
    try {
      const done = await indexFolders(input.folders, collection, input, context);
      return { ...done, pictures: await collection.store.count(), db: collection.store.url };
    } finally {
      await collection.close();
    }
  },
});
