import { basename } from "node:path";
import { z } from "zod";
import { defineRoute, type Route } from "../route.js";
import type { Serving } from "../serving.js";
import { jobSchema } from "./jobs.js";

const nothing = z.object({});

export const infoRoutes = (serving: Serving): Route[] => [
  defineRoute({
    method: "get",
    path: "/api/info",
    chapter: "Server",
    summary: "What is served",
    input: nothing,
    output: z.object({
      version: z.string(),
      model: z.object({ name: z.string(), identity: z.string() }),
      pictures: z.int().describe("Pictures in the index"),
      db: z.string().describe("Where the index is"),
      folders: z.array(z.string()).describe("Folders that the server keeps indexed"),
      jobs: z.array(jobSchema).describe("Those that have not ended"),
      fetchUrls: z.boolean().describe("Whether pictures may be given by their addresses"),
    }),
    async run() {
      const { collection, version, folders, jobs, fetchPicture } = serving;
      const { store, identity, encoder } = collection;
      return {
        version,
        model: { name: basename(encoder.model.path), identity },
        pictures: await store.count(),
        db: store.url,
        folders,
        jobs: jobs.list().filter(({ ended }) => ended === undefined),
        fetchUrls: fetchPicture !== undefined,
      };
    },
  }),
];
