import { z } from "zod";
import { makeMap, readMap } from "../../task/collection/map.js";
import { doneOf } from "../jobs.js";
import { defineRoute, type Route } from "../route.js";
import type { Serving } from "../serving.js";

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
      const job = jobs.ensure("map", (context) => makeMap(collection, context).then(() => undefined));
      return { state: "computing", ...doneOf(job) };
    },
  }),
];
