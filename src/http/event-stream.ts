import type { JobEvent, Jobs, JobState } from "./jobs.js";

/** Proxies and our own server end connections on which nothing moves. */
const heartbeatMs = 15_000;
/** Progress of one job is told at most so often. */
const progressMs = 200;
/** Bytes that a slow listener leaves waiting before it is let go; it comes back by itself. */
const mostWaiting = 2 ** 20;

/**
 * Server-sent events about jobs: `event: progress | skipped | state`, `data:` the job.
 *
 * @param first  jobs that a listener hears of at once
 * @param wanted tells which jobs it hears of
 * @param ends   whether the stream ends with the first job that does
 */
export function eventStream(
  jobs: Jobs,
  first: readonly JobState[],
  wanted: (job: JobState) => boolean,
  ends: boolean,
): Response {
  const text = new TextEncoder();
  let stop = (): void => {};
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const told = new Map<string, number>();
        const write = (line: string): void => {
          if ((controller.desiredSize ?? 0) < -mostWaiting) return close();
          controller.enqueue(text.encode(line));
        };
        const tell = ({ kind, job }: Omit<JobEvent, "id">): void => {
          if (!wanted(job)) return;
          const now = Date.now();
          if (kind === "progress" && now - (told.get(job.id) ?? 0) < progressMs) return;
          told.set(job.id, now);
          write(`event: ${kind}\ndata: ${JSON.stringify(job)}\n\n`);
          if (ends && job.ended !== undefined) close();
        };
        const deaf = jobs.listen(tell, () => close());
        const heartbeat = setInterval(() => write(": still here\n\n"), heartbeatMs);
        stop = (): void => {
          deaf();
          clearInterval(heartbeat);
        };
        const close = (): void => {
          stop();
          controller.close();
        };
        write("retry: 2000\n\n");
        for (const job of first) tell({ kind: "state", job });
      },
      cancel: () => stop(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
  );
  return new Response(body, {
    headers: { "Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no" },
  });
}
