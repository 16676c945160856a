import { z } from "zod";
import { markResults } from "../../task/collection/marks.js";
import { defineRoute, type Route } from "../route.js";
import { idField } from "../schemas.js";
import type { Serving } from "../serving.js";

export const markRoutes = ({ limits }: Serving): Route[] => {
  const ids = z.array(idField).max(limits.items).default([]);
  return [
    defineRoute({
      method: "post",
      path: "/api/feedback",
      chapter: "Search",
      summary: "Tell which results of a query are right and which are wrong",
      description: "The index remembers it, and its probabilities follow.",
      input: z.object({
        query: z.string().max(limits.textLength).describe("What was looked for"),
        yes: ids.describe("Results that are what was meant"),
        no: ids.describe("Results that are not"),
      }),
      output: z.object({ marked: z.int().describe("Results of all queries that are marked now") }),
      works: true,
      run: async (marks, { collection, context }) => ({
        marked: await markResults(collection, marks, context),
      }),
    }),
  ];
};
