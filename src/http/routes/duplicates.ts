import { z } from "zod";
import { findCopies, type Copies } from "../../task/collection/copies.js";
import { lookalikeCosine, lookalikesBeside } from "../../task/collection/lookalikes.js";
import { stampOf } from "../../task/collection/stamp.js";
import { defineRoute, type Call, type Route } from "../route.js";
import { fieldsSchema } from "../schemas.js";

const kinds = ["exact", "same", "lookalike"] as const;

interface Group {
  readonly kind: (typeof kinds)[number];
  readonly ids: readonly string[];
}

/** What was found, until the collection changes. */
interface Known {
  readonly stamp: string;
  readonly copies: readonly Copies[];
  lookalikes?: readonly Group[];
}

export function duplicateRoutes(): Route[] {
  let known: Known | undefined;

  const groupsOf = async (
    kind: Group["kind"] | undefined,
    { collection, context }: Call,
  ): Promise<readonly Group[]> => {
    const stamp = await stampOf(collection);
    if (known?.stamp !== stamp) known = { stamp, copies: await findCopies(collection) };
    const { copies } = known;
    if (kind !== "lookalike") return copies.filter((group) => kind === undefined || group.kind === kind);
    return (known.lookalikes ??= await lookalikesBeside(copies, collection, lookalikeCosine, context));
  };

  return [
    defineRoute({
      method: "get",
      path: "/api/duplicates",
      chapter: "Pictures",
      summary: "Groups of pictures that are copies of each other, or nearly alike",
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
      output: z.array(
        z.object({
          kind: z.enum(kinds),
          pictures: z
            .array(z.object({ id: z.string(), fields: fieldsSchema }))
            .describe(
              "Of copies, the largest picture first, then the oldest file; of lookalikes, the most alike",
            ),
        }),
      ),
      works: true,
      async run({ kind, k, offset }, call) {
        const groups = (await groupsOf(kind, call)).slice(offset, offset + k);
        const items = await call.collection.store.get(groups.flatMap(({ ids }) => ids));
        const fields = new Map(items.flatMap((item) => (item === undefined ? [] : [[item.id, item.fields]])));
        return groups.map(({ kind, ids }) => ({
          kind,
          pictures: ids.map((id) => ({ id, fields: fields.get(id) ?? {} })),
        }));
      },
    }),
  ];
}
