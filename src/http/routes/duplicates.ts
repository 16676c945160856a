import { z } from "zod";
import { findCopies, type Copies } from "../../task/collection/copies.js";
import { lookalikeCosine, lookalikesBeside } from "../../task/collection/lookalikes.js";
import { doneOf } from "../jobs.js";
import { OfCollection } from "../of-collection.js";
import { defineRoute, type Route } from "../route.js";
import { fieldsSchema } from "../schemas.js";
import type { Serving } from "../serving.js";

const kinds = ["exact", "same", "lookalike"] as const;

interface Group {
  readonly kind: (typeof kinds)[number];
  readonly ids: readonly string[];
}

export function duplicateRoutes({ jobs, collection }: Serving): Route[] {
  const copies = new OfCollection<readonly Copies[]>("duplicates", jobs, collection, (context) =>
    findCopies(collection, context),
  );
  const lookalikes = new OfCollection<readonly Group[]>("lookalikes", jobs, collection, async (context) =>
    lookalikesBeside(await copies.get(context), collection, lookalikeCosine, context),
  );

  return [
    defineRoute({
      method: "get",
      path: "/api/duplicates",
      chapter: "Pictures",
      summary: "Groups of pictures that are copies of each other, or nearly alike",
      description:
        "A job looks for them when the collection has changed. Where it takes longer than a moment, ask again until the state is ready.",
      input: z.object({
        kind: z
          .enum(kinds)
          .optional()
          .describe(
            "exact: equal files; same: other size, format or compression; lookalike: other pictures that resemble each other; exact and same when it is left out",
          ),
        k: z.int().min(1).max(10_000).default(1000).describe("The most groups"),
        offset: z.int().min(0).default(0).describe("Groups to leave out before the first"),
      }),
      output: z.object({
        state: z.enum(["ready", "computing"]),
        done: z.number().optional().describe("While it is computed: 0…1"),
        groups: z
          .array(
            z.object({
              kind: z.enum(kinds),
              pictures: z
                .array(z.object({ id: z.string(), fields: fieldsSchema }))
                .describe(
                  "Of copies, the largest picture first, then the oldest file; of lookalikes, the most alike",
                ),
            }),
          )
          .optional()
          .describe("While they are looked for anew, those that were found the last time"),
      }),
      works: true,
      async run({ kind, k, offset }, call) {
        const { value, job } = await (kind === "lookalike" ? lookalikes : copies).ask();
        const state = job === undefined ? "ready" : "computing";
        const progress = job === undefined ? {} : doneOf(job);
        if (value === undefined) return { state, ...progress };
        const chosen = value
          .filter((group) => kind === undefined || group.kind === kind)
          .slice(offset, offset + k);
        const items = await call.collection.store.get(chosen.flatMap(({ ids }) => ids));
        const fields = new Map(items.flatMap((item) => (item === undefined ? [] : [[item.id, item.fields]])));
        const groups = chosen.map(({ kind, ids }) => ({
          kind,
          pictures: ids.map((id) => ({ id, fields: fields.get(id) ?? {} })),
        }));
        return { state, ...progress, groups };
      },
    }),
  ];
}
