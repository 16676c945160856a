import { z } from "zod";
import { Refusal, retryLater } from "../refusal.js";
import { defineRoute, type Route } from "../route.js";
import type { Serving } from "../serving.js";

const chapter = "Server";
const ok = z.object({ status: z.literal("ok") });

export const healthRoutes = ({ queue, collection, metrics }: Serving): Route[] => [
  defineRoute({
    method: "get",
    path: "/healthz",
    chapter,
    summary: "Whether the process lives",
    input: z.object({}),
    output: ok,
    run: () => ({ status: "ok" }),
  }),
  defineRoute({
    method: "get",
    path: "/readyz",
    chapter,
    summary: "Whether requests are answered: the index can be read, and the server is not stopping",
    input: z.object({}),
    output: ok,
    async run() {
      if (queue.closed) throw new Refusal("unavailable", "The server is stopping.", retryLater);
      await collection.store.sets();
      return { status: "ok" };
    },
  }),
  defineRoute({
    method: "get",
    path: "/metrics",
    chapter,
    summary: "Counts and times for Prometheus",
    input: z.object({}),
    output: "text/plain",
    run: async () => new Response(await metrics.text(), { headers: { "Content-Type": metrics.contentType } }),
  }),
];
