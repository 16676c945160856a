import { z } from "zod";
import { count, flag, list, words } from "../fields.js";
import { dbField } from "./collection.js";
import type { CollectionAnswer } from "./query.js";

/** The fields by which tasks say which part of an answer is wanted. */
export const pageFields = {
  db: dbField,
  where: words("Condition on an index's pictures: taken >= 2020-06-01 and camera contains X100").optional(),
  k: count("Results for each query").default(10),
  offset: z
    .int()
    .min(0)
    .default(0)
    .meta({ description: "Results to leave out before the first", placeholder: "N" }),
  sort: z
    .enum(["score", "newest", "oldest"])
    .default("score")
    .meta({ description: "Order; by date, only what is relevant is shown" }),
  like: list("PICTURE", "Results that are what was meant: more like these").optional(),
  dislike: list("PICTURE", "Results that are not: nothing like these").optional(),
  refine: flag("Suggest words that would narrow the query").default(false),
};

const fieldValue = z.union([z.string(), z.number(), z.boolean()]);

/** An answer as tasks give it. */
export const answerSchema = z.object({
  results: z
    .array(
      z.object({
        path: z.string(),
        score: z.number(),
        probability: z.number().optional().describe("That it is what was meant"),
        fields: z.record(z.string(), fieldValue).optional().describe("What an index knows of the picture"),
      }),
    )
    .describe("Best first; cosines"),
  match: z
    .object({ probability: z.number(), verdict: z.enum(["matches", "unsure", "nothing"]) })
    .optional()
    .describe("Whether anything here is what was meant"),
  truncated: z.array(z.string()).optional().describe("Texts whose end the model did not read"),
  refinements: z.array(z.string()).optional().describe("Words that would narrow the query"),
});

/** An answer with paths for ids; fields that are empty are left out. */
export function showAnswer({
  results,
  match,
  truncated,
  refinements,
}: CollectionAnswer): z.output<typeof answerSchema> {
  return {
    results: results.map(({ id, fields, ...scores }) => ({
      path: id,
      ...scores,
      ...(Object.keys(fields).length > 0 && { fields }),
    })),
    ...(match && { match }),
    ...(truncated && { truncated: [...truncated] }),
    ...(refinements && { refinements: [...refinements] }),
  };
}
