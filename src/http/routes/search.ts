import { z } from "zod";
import { answerSchema } from "../../task/collection/answer-fields.js";
import { requireIndexed } from "../../task/collection/collection.js";
import { parseQuery } from "../../task/collection/parse-query.js";
import { ask } from "../../task/collection/query.js";
import type { QueryPart } from "../../task/collection/query-part.js";
import { CliptError } from "../../tensor/index.js";
import { defineRoute, type Call, type Route } from "../route.js";
import { fieldsSchema, idField, pictureField } from "../schemas.js";
import type { Serving } from "../serving.js";

const chapter = "Search";

const found = answerSchema.shape.results.element;

/** As tasks give it, but that a picture goes by its id. */
const answer = answerSchema.extend({
  results: z
    .array(found.omit({ path: true }).extend({ id: z.string(), fields: fieldsSchema }))
    .describe("Best first"),
});

/** Fields of all searches, within the server's limits. */
const rangeFields = {
  where: z
    .string()
    .max(1000)
    .optional()
    .describe("Condition on the pictures: taken >= 2020-06-01 and camera contains X100"),
  k: z.int().min(1).max(1000).default(50).describe("The most results"),
  offset: z.int().min(0).max(100_000).default(0).describe("Results to leave out before the first"),
  sort: z
    .enum(["score", "newest", "oldest"])
    .default("score")
    .describe("newest and oldest order what is relevant by date"),
};

export function searchRoutes(serving: Serving): Route[] {
  const words = z.string().max(serving.limits.textLength);
  const ids = z.array(idField).max(serving.limits.items);
  const part = z.object({
    text: words.optional(),
    picture: pictureField("A picture").optional(),
    item: idField.optional(),
    weight: z.number().default(1).describe("How much it counts; negative ones are not wanted"),
  });

  const answerTo = async (
    parts: readonly QueryPart[],
    range: Omit<Parameters<typeof ask>[1], "parts">,
    { collection, context }: Call,
  ) => {
    if (parts.length > serving.limits.items)
      throw new CliptError(
        "usage",
        `A query has at most ${serving.limits.items} parts, not ${parts.length}.`,
      );
    const answer = await ask(collection, { ...range, parts }, context);
    // Looked at afterwards: it costs as much as the search, and matters where there is nothing.
    if (answer.results.length === 0) await requireIndexed(collection);
    return answer;
  };

  return [
    defineRoute({
      method: "get",
      path: "/api/search",
      chapter,
      summary: "Pictures that a text describes",
      input: z.object({
        q: z.string().max(1000).describe("What to look for; longer texts are sent by POST"),
        ...rangeFields,
      }),
      output: answer,
      works: true,
      run: ({ q, ...range }, call) => answerTo(parseQuery(q), range, call),
    }),
    defineRoute({
      method: "post",
      path: "/api/search",
      chapter,
      summary: "Pictures that texts, pictures and pictures of the index describe together",
      description:
        'The parts of a query add up by their weights. In a form, a part names a file of the same form by its field: `"picture": "upload:NAME"`; a file in the field `picture` is a part of its own.',
      input: z.object({
        query: words
          .optional()
          .describe('A text as people type it: "beach" + "dog" - "people", beach without people'),
        picture: pictureField("A picture to look like").optional(),
        parts: z.array(part).max(serving.limits.items).default([]),
        ...rangeFields,
        like: ids.default([]).describe("Results that are what was meant"),
        dislike: ids.default([]).describe("Results that are not"),
      }),
      pictures: ["picture"],
      output: answer,
      works: true,
      async run({ query, picture, parts, ...range }, call) {
        const all: QueryPart[] = [];
        if (query !== undefined) all.push(...parseQuery(query));
        if (picture !== undefined) all.push({ picture: (await call.picture(picture)).bytes, weight: 1 });
        for (const { picture: reference, ...part } of parts)
          all.push(
            reference === undefined ? part : { ...part, picture: (await call.picture(reference)).bytes },
          );
        if (all.length === 0) throw new CliptError("usage", "Give a query, a picture or parts.");
        return answerTo(all, range, call);
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/suggest",
      chapter,
      summary: "Words that would narrow a query",
      input: z.object({ q: words.describe("What is looked for"), where: rangeFields.where }),
      output: z.object({ refinements: z.array(z.string()) }),
      works: true,
      async run({ q, where }, { collection, context }) {
        const answer = await ask(collection, { parts: parseQuery(q), where, k: 1, refine: true }, context);
        return { refinements: answer.refinements ?? [] };
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/similar",
      chapter,
      summary: "Pictures that look like one of the index",
      input: z.object({ id: idField, ...rangeFields }),
      output: answer,
      works: true,
      run: ({ id, ...range }, call) => answerTo([{ item: id, weight: 1 }], range, call),
    }),
  ];
}
