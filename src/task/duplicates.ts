import { z } from "zod";
import { dbField, openIndexed } from "./collection/collection.js";
import { findCopies } from "./collection/copies.js";
import { lookalikeCosine, lookalikesBeside } from "./collection/lookalikes.js";
import { flag, modelFields } from "./fields.js";
import { defineTask } from "./task.js";

export const duplicates = defineTask({
  name: "duplicates",
  details:
    'Two kinds of copies in an index: "exact" ones are equal files; "same" ones are the same picture in another size, format or compression. With --lookalikes, pictures that merely resemble each other follow, in groups of their own: frames of a burst, strong crops, mirrored copies. Nothing is deleted.',
  input: z.object({
    db: dbField,
    lookalikes: flag("Show pictures that resemble each other, too").default(false),
    above: z
      .number()
      .min(0)
      .max(1)
      .default(lookalikeCosine)
      .meta({ description: "Least cosine of lookalikes", placeholder: "COSINE" }),
    ...modelFields,
  }),
  output: z.array(
    z.object({
      kind: z.enum(["exact", "same", "lookalike"]),
      paths: z
        .array(z.string())
        .describe(
          "Copies: the largest picture first, then the oldest file. Lookalikes: the one that all others resemble first",
        ),
    }),
  ),
  examples: [
    { title: "Copies in the index", input: {} },
    { title: "Lookalikes, too", input: { lookalikes: true } },
  ],
  async run(input, context) {
    const collection = await openIndexed(input, context.services);
    try {
      const copies = await findCopies(collection, context);
      const lookalikes = input.lookalikes
        ? await lookalikesBeside(copies, collection, input.above, context)
        : [];
      return [...copies, ...lookalikes].map(({ kind, ids }) => ({ kind, paths: [...ids] }));
    } finally {
      await collection.close();
    }
  },
});
