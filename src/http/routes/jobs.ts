import { z } from "zod";
import { indexFolders } from "../../task/indexing/index-folders.js";
import { CliptError } from "../../tensor/index.js";
import { eventStream } from "../event-stream.js";
import { defineRoute, type Route } from "../route.js";
import type { Serving } from "../serving.js";

export const jobSchema = z.object({
  id: z.string(),
  kind: z.string(),
  state: z.enum(["waiting", "running", "done", "failed", "cancelled"]),
  progress: z
    .object({ stage: z.string(), done: z.number(), total: z.number().optional() })
    .optional()
    .describe("The last that was heard of it"),
  skipped: z.int().describe("Files that cannot be used"),
  skippedItems: z.array(z.object({ item: z.string(), reason: z.string() })).describe("The first 100 of them"),
  result: z.unknown().optional(),
  error: z.string().optional(),
  started: z.number().describe("Milliseconds since 1970"),
  ended: z.number().optional(),
});

const oneJob = z.object({ id: z.string() });
const chapter = "Indexing";

/** Starts bringing the index in line with the server's folders, or gives the job that does it already. */
export function startIndexing({ jobs, folders: own, collection, shared }: Serving, folders = own): string {
  const under = folders === own ? jobs.current("index") : undefined;
  if (under !== undefined) return under.id;
  return jobs.start("index", async (context) => {
    const asker = { signal: context.signal, background: true };
    const encoder = shared.encoder(collection.encoder, asker);
    const done = await indexFolders(
      folders,
      { ...collection, encoder },
      { exact: false, ignore: [] },
      { ...context, services: shared.for(asker) },
    );
    return { ...done, pictures: await collection.store.count() };
  }).id;
}

export const jobRoutes = (serving: Serving): Route[] => [
  defineRoute({
    method: "post",
    path: "/api/index",
    chapter,
    summary: "Bring the index in line with the server's folders",
    input: z.object({
      folders: z
        .array(z.string())
        .min(1)
        .optional()
        .describe("Some of the server's folders; all when it is left out"),
    }),
    output: z.object({ job: z.string() }),
    run({ folders }) {
      if (serving.folders.length === 0)
        throw new CliptError("usage", "The server was started without folders: `clipt serve FOLDER`.");
      const other = folders?.find((folder) => !serving.folders.includes(folder));
      if (other !== undefined)
        throw new CliptError(
          "usage",
          `${other} is none of the server's folders: ${serving.folders.join(", ")}.`,
        );
      return { job: startIndexing(serving, folders) };
    },
  }),
  defineRoute({
    method: "get",
    path: "/api/jobs",
    chapter,
    summary: "Jobs, the newest first",
    input: z.object({}),
    output: z.array(jobSchema),
    run: () => serving.jobs.list(),
  }),
  defineRoute({
    method: "get",
    path: "/api/jobs/{id}",
    chapter,
    summary: "One job",
    input: oneJob,
    output: jobSchema,
    run: ({ id }) => jobOf(serving, id),
  }),
  defineRoute({
    method: "get",
    path: "/api/jobs/{id}/events",
    chapter,
    summary: "What happens to a job, as server-sent events until it ends",
    input: oneJob,
    output: "text/event-stream",
    run({ id }) {
      return eventStream(serving.jobs, [jobOf(serving, id)], (job) => job.id === id, true);
    },
  }),
  defineRoute({
    method: "get",
    path: "/api/events",
    chapter,
    summary: "What happens to all jobs, as server-sent events",
    input: z.object({}),
    output: "text/event-stream",
    run: () =>
      eventStream(
        serving.jobs,
        serving.jobs.list().filter(({ ended }) => ended === undefined),
        () => true,
        false,
      ),
  }),
];

function jobOf({ jobs }: Serving, id: string) {
  const job = jobs.get(id);
  if (job === undefined) throw new CliptError("missing", `There is no job ${JSON.stringify(id)}.`);
  return job;
}
