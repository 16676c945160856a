import { z } from "zod";
import { findCopies } from "../../task/collection/copies.js";
import { fieldsSchema } from "../schemas.js";
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
      k: z.int().min(1).max(10_000).default(1000).describe("The most groups"),
      offset: z.int().min(0).default(0).describe("Groups to leave out before the first"),
    }),
    output: z.array(
      z.object({
        kind: z.enum(["exact", "same"]),
        pictures: z
          .array(z.object({ id: z.string(), fields: fieldsSchema }))
          .describe("The largest picture first, then the oldest file"),
      }),
    ),
    works: true,
    async run({ kind, k, offset }) {
      const all = await findCopies(collection);
      const groups = all
        .filter((group) => kind === undefined || group.kind === kind)
        .slice(offset, offset + k);
      const items = await collection.store.get(groups.flatMap(({ ids }) => ids));
      const known = new Map(items.flatMap((item) => (item === undefined ? [] : [[item.id, item.fields]])));
      return groups.map(({ kind, ids }) => ({
        kind,
        pictures: ids.map((id) => ({ id, fields: known.get(id) ?? {} })),
      }));
    },
  }),
];
