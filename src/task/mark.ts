import { realpath } from "node:fs/promises";
import { z } from "zod";
import { dbField, openIndexed } from "./collection/collection.js";
import { markResults } from "./collection/marks.js";
import { list, modelFields, words } from "./fields.js";
import { defineTask } from "./task.js";

export const mark = defineTask({
  name: "mark",
  details:
    "The index remembers what was right and what was wrong, and its probabilities follow: after some twenty marks, of several queries, they fit the pictures that are in it.",
  input: z.object({
    query: words("What was looked for"),
    yes: list("FILE", "Results that are what was meant").default([]),
    no: list("FILE", "Results that are not").default([]),
    db: dbField,
    ...modelFields,
  }),
  output: z.object({ marked: z.int().describe("Results of all queries that are marked now") }),
  positional: ["query"],
  examples: [
    {
      title: "One right, one wrong",
      input: { query: "a dog", yes: ["photos/rex.jpg"], no: ["photos/fox.jpg"] },
    },
  ],
  async run(input, context) {
    const collection = await openIndexed(input, context.services);
    try {
      const [yes, no] = await Promise.all([input.yes, input.no].map((paths) => Promise.all(paths.map(idOf))));
      return { marked: await markResults(collection, { query: input.query, yes: yes!, no: no! }, context) };
    } finally {
      await collection.close();
    }
  },
});

/** A picture's id is its real path; one that is gone is known by the path that was given. */
const idOf = (path: string): Promise<string> => realpath(path).catch(() => path);
