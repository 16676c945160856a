import { z } from "zod";
import { browse, readFacets, type Facets } from "../../task/collection/browse.js";
import { stampOf } from "../../task/collection/stamp.js";
import { defineRoute, type Route } from "../route.js";
import { fieldsSchema } from "../schemas.js";
import type { Serving } from "../serving.js";

const chapter = "Pictures";

const facet = z.array(z.object({ value: z.string(), count: z.int() })).describe("The most frequent first");

/** The collection as a whole, without a query. */
export function collectionRoutes({ collection }: Serving): Route[] {
  let known: { readonly stamp: string; readonly facets: Facets } | undefined;
  return [
    defineRoute({
      method: "get",
      path: "/api/pictures",
      chapter,
      summary: "Pictures by date",
      input: z.object({
        where: z.string().max(1000).optional().describe("Condition on the pictures"),
        k: z.int().min(1).max(1000).default(50).describe("The most results"),
        offset: z.int().min(0).default(0).describe("Results to leave out before the first"),
        sort: z.enum(["newest", "oldest"]).default("newest"),
      }),
      output: z.object({
        results: z
          .array(z.object({ id: z.string(), fields: fieldsSchema }))
          .describe("Those that say when they were taken come first, then the others by their file's date"),
        total: z.int().describe("Pictures that the condition lets through"),
      }),
      async run(range) {
        const { results, total } = await browse(collection, range);
        return { results: results.map(({ id, fields }) => ({ id, fields })), total };
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/facets",
      chapter,
      summary: "What pictures can be told apart by: cameras, formats, folders",
      input: z.object({}),
      output: z.object({ camera: facet, format: facet, folder: facet }),
      async run() {
        const stamp = await stampOf(collection);
        if (known?.stamp !== stamp) known = { stamp, facets: await readFacets(collection) };
        return known.facets;
      },
    }),
  ];
}
