import { realpath } from "node:fs/promises";
import { z } from "zod";
import { answerSchema, pageFields, showAnswer } from "./collection/answer-fields.js";
import { openIndexed, type Collection } from "./collection/collection.js";
import { ask } from "./collection/query.js";
import type { QueryPart } from "./collection/query-part.js";
import { exactField } from "./decoding.js";
import { modelFields, words } from "./fields.js";
import { defineTask } from "./task.js";

export const similar = defineTask({
  name: "similar",
  details:
    "A picture of the index is looked up and not encoded again; it is not among its own results. Any other file may be given as well.",
  input: z.object({
    picture: words("A picture: one of the index, or any other file"),
    ...pageFields,
    exact: exactField,
    ...modelFields,
  }),
  output: answerSchema,
  positional: ["picture"],
  examples: [
    { title: "What looks like a picture", input: { picture: "cat.jpg" } },
    { title: "Of the same summer", input: { picture: "cat.jpg", where: "taken >= 2020-06-01" } },
  ],
  async run(input, context) {
    const collection = await openIndexed(input, context.services);
    try {
      const part = await partOf(input.picture, collection);
      return showAnswer(await ask(collection, { ...input, parts: [part] }, context));
    } finally {
      await collection.close();
    }
  },
});

/** An index knows pictures by their real paths. */
async function partOf(picture: string, { store, identity }: Collection): Promise<QueryPart> {
  const real = await realpath(picture).catch(() => picture);
  const [item] = await store.get([real], identity);
  return item?.vectors?.[identity] === undefined ? { picture, weight: 1 } : { item: real, weight: 1 };
}
