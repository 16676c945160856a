import type { Job } from "../api/types.js";
import { edition } from "./results.js";
import { connected, info, jobs, locked, refreshInfo } from "./server.js";

/** A browser gives up on a stream that was refused; it is opened again after this. */
const retryMs = 2_000;
/** Pictures that come while the index grows are shown at most so often. */
const growMs = 3_000;

let grown = 0;

/** Follows what the server does, and finds it again after it was away. */
export function follow(): void {
  const stream = new EventSource("api/events");
  stream.addEventListener("open", () => {
    const wasAway = !connected.value;
    jobs.value = new Map();
    void refreshInfo().then(() => {
      if (wasAway) edition.value++;
    });
    connected.value = true;
  });
  stream.addEventListener("error", () => {
    if (!locked.value) connected.value = false;
    if (stream.readyState !== EventSource.CLOSED) return;
    setTimeout(() => void refreshInfo().finally(follow), retryMs);
  });
  for (const kind of ["progress", "skipped", "state"])
    stream.addEventListener(kind, (event: MessageEvent<string>) => take(JSON.parse(event.data) as Job));
}

function take(job: Job): void {
  jobs.value = new Map(jobs.value).set(job.id, job);
  const ended = job.ended !== undefined;
  if (job.kind !== "index" || (!ended && Date.now() - grown < growMs)) return;
  grown = Date.now();
  const before = info.value?.pictures;
  void refreshInfo().then(() => {
    if (info.value?.pictures !== before || ended) edition.value++;
  });
}
