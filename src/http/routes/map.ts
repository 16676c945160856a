import { z } from "zod";
import { makeMap, readMap } from "../../task/collection/map.js";
import { CliptError } from "../../tensor/index.js";
import { defineRoute, type Route } from "../route.js";
import type { Serving } from "../serving.js";

/** A map that could not be made is tried again after this. */
const retryMs = 60_000;

export const mapRoutes = ({ collection, jobs }: Serving): Route[] => [
  defineRoute({
    method: "get",
    path: "/api/map",
    chapter: "Pictures",
    summary: "The collection on a plane, where pictures that are alike lie near each other",
    description:
      "A job makes the map when there is none, or the collection has changed; ask again until the state is ready. A collection of more than 10,000 pictures is shown by an even choice of them.",
    input: z.object({}),
    output: z.object({
      state: z.enum(["ready", "computing"]),
      done: z.number().optional().describe("While it is computed: 0…1"),
      ids: z.array(z.string()).optional(),
      points: z.string().optional().describe("[ids, 2] in 0…1: little-endian float32, base64"),
      total: z.int().optional().describe("Pictures of the collection"),
    }),
    async run() {
      const map = await readMap(collection);
      if (map !== undefined) {
        const { ids, points, total } = map;
        return { state: "ready", ids, points: Buffer.from(points.buffer).toString("base64"), total };
      }
      const last = jobs.list().find(({ kind }) => kind === "map");
      if (last?.state === "failed" && Date.now() - (last.ended ?? 0) < retryMs)
        throw new CliptError("failed", last.error ?? "The map could not be made.");
      if (jobs.current("map") === undefined)
        jobs.start("map", (context) => makeMap(collection, context).then(() => undefined));
      const { progress } = jobs.current("map") ?? {};
      return {
        state: "computing",
        ...(progress?.total !== undefined && { done: progress.done / progress.total }),
      };
    },
  }),
];
