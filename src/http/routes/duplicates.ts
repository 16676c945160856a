import { z } from "zod";
import { findCopies } from "../../task/collection/copies.js";
import { defineRoute, type Route } from "../route.js";
import type { Serving } from "../serving.js";

export const duplicateRoutes = ({ collection }: Serving): Route[] => [
  defineRoute({
    method: "get",
    path: "/api/duplicates",
    chapter: "Pictures",
    summary: "Groups of pictures that are copies of each other",
    input: z.object({
      kind: z
        .enum(["exact", "same"])
        .optional()
        .describe("exact: equal files; same: other size, format or compression; all when it is left out"),
    }),
    output: z.array(
      z.object({
        kind: z.enum(["exact", "same"]),
        ids: z.array(z.string()).describe("The largest picture first, then the oldest file"),
      }),
    ),
    works: true,
    async run({ kind }) {
      const groups = await findCopies(collection);
      return groups.filter((group) => kind === undefined || group.kind === kind);
    },
  }),
];
