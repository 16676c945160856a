import { z } from "zod";
import { dbField, openCollection, requireIndexed } from "./collection/collection.js";
import { findCopies } from "./collection/copies.js";
import { modelFields } from "./fields.js";
import { defineTask } from "./task.js";

export const duplicates = defineTask({
  name: "duplicates",
  details:
    'Two kinds of copies in an index: "exact" ones are equal files; "same" ones are the same picture in another size, format or compression. Pictures that merely resemble each other are none. Nothing is deleted.',
  input: z.object({ db: dbField, ...modelFields }),
  output: z.array(
    z.object({
      kind: z.enum(["exact", "same"]),
      paths: z.array(z.string()).describe("The largest picture first, then the oldest file"),
    }),
  ),
  examples: [{ title: "Copies in the index", input: {} }],
  async run(input, context) {
    const collection = await openCollection(input, context.services);
    try {
      await requireIndexed(collection);
      return (await findCopies(collection)).map(({ kind, ids }) => ({ kind, paths: [...ids] }));
    } finally {
      await collection.close();
    }
  },
});
