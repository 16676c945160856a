import { messageOf, CliptError } from "../tensor/index.js";
import type { TaskEvent } from "../task/event.js";

export interface JobState {
  readonly id: string;
  readonly kind: string;
  readonly state: "waiting" | "running" | "done" | "failed" | "cancelled";
  readonly progress?: { readonly stage: string; readonly done: number; readonly total?: number | undefined };
  /** Items that could not be used; the first ones are named. */
  readonly skipped: number;
  readonly skippedItems: readonly { readonly item: string; readonly reason: string }[];
  readonly result?: unknown;
  readonly error?: string;
  /** Milliseconds since 1970. */
  readonly started: number;
  readonly ended?: number;
}

export interface JobEvent {
  /** Grows by one with each event of the server. */
  readonly id: number;
  readonly kind: "progress" | "skipped" | "state";
  readonly job: JobState;
}

/** How much of a job is done, 0…1; nothing where that is not known. */
export const doneOf = ({ progress }: JobState): { done?: number } =>
  progress?.total === undefined ? {} : { done: progress.done / Math.max(1, progress.total) };

type Work = (context: { signal: AbortSignal; emit: (event: TaskEvent) => void }) => Promise<unknown>;

/** A job that failed is tried again after this. */
const retryMs = 60_000;
/** Ended jobs that are remembered. */
const remembered = 50;
/** Skipped items that are named. */
const named = 100;

/** Work that goes on behind the requests. */
export class Jobs {
  private readonly states = new Map<string, JobState>();
  private readonly listeners = new Map<(event: JobEvent) => void, () => void>();
  private readonly stop = new AbortController();
  private last: Promise<void> = Promise.resolve();
  private readonly aside = new Set<Promise<void>>();
  private count = 0;
  private events = 0;

  /** @param log is told of failures */
  constructor(private readonly log: (error: unknown) => void) {}

  /** Jobs run one after another; one that somebody waits for runs beside them: `aside`. */
  start(kind: string, work: Work, { aside = false }: { aside?: boolean } = {}): JobState {
    const id = String(++this.count);
    const job: JobState = { id, kind, state: "waiting", skipped: 0, skippedItems: [], started: Date.now() };
    this.change(job, "state");
    if (aside) {
      const running = this.run(id, work).finally(() => this.aside.delete(running));
      this.aside.add(running);
    } else this.last = this.last.then(() => this.run(id, work));
    return this.states.get(id)!;
  }

  /**
   * The job of this kind that has not ended, or a new one.
   *
   * @throws `failed` a while after one has failed: it would fail again
   */
  ensure(kind: string, work: Work, options?: { aside?: boolean }): JobState {
    const last = this.list().find((job) => job.kind === kind);
    if (last?.state === "failed" && Date.now() - (last.ended ?? 0) < retryMs)
      throw new CliptError("failed", last.error ?? "The job failed.");
    return this.current(kind) ?? this.start(kind, work, options);
  }

  get(id: string): JobState | undefined {
    return this.states.get(id);
  }

  /** The newest first. */
  list(): JobState[] {
    return [...this.states.values()].reverse();
  }

  /** A job of this kind that has not ended. */
  current(kind: string): JobState | undefined {
    return this.list().find(
      (job) => job.kind === kind && (job.state === "waiting" || job.state === "running"),
    );
  }

  /** @param end is called when nothing more will happen @returns what ends listening */
  listen(listener: (event: JobEvent) => void, end: () => void): () => void {
    this.listeners.set(listener, end);
    return () => this.listeners.delete(listener);
  }

  /** Ends the running job, which keeps what it has done, and starts no other. */
  async close(): Promise<void> {
    this.stop.abort();
    await Promise.all([this.last, ...this.aside]);
    for (const end of this.listeners.values()) end();
    this.listeners.clear();
  }

  private async run(id: string, work: Work): Promise<void> {
    if (this.stop.signal.aborted) return this.update(id, { state: "cancelled", ended: Date.now() }, "state");
    this.update(id, { state: "running" }, "state");
    try {
      const result = await work({ signal: this.stop.signal, emit: (event) => this.note(id, event) });
      this.update(id, { state: "done", result, ended: Date.now() }, "state");
    } catch (error) {
      const cancelled = this.stop.signal.aborted;
      if (!cancelled) this.log(error);
      const message = error instanceof CliptError ? error.message : `The job failed: ${messageOf(error)}`;
      this.update(
        id,
        { state: cancelled ? "cancelled" : "failed", error: message, ended: Date.now() },
        "state",
      );
    }
    const ended = this.list().filter((job) => job.ended !== undefined);
    for (const { id } of ended.slice(remembered)) this.states.delete(id);
  }

  private note(id: string, event: TaskEvent): void {
    const job = this.states.get(id)!;
    if (event.kind === "progress") {
      const { stage, done, total } = event;
      this.update(id, { progress: { stage, done, total } }, "progress");
    } else if (event.kind === "skipped") {
      const { item, reason } = event;
      const skippedItems = job.skipped < named ? [...job.skippedItems, { item, reason }] : job.skippedItems;
      this.update(id, { skipped: job.skipped + 1, skippedItems }, "skipped");
    }
  }

  private update(id: string, change: Partial<JobState>, kind: JobEvent["kind"]): void {
    this.change({ ...this.states.get(id)!, ...change }, kind);
  }

  private change(job: JobState, kind: JobEvent["kind"]): void {
    this.states.set(job.id, job);
    const event: JobEvent = { id: ++this.events, kind, job };
    for (const listener of this.listeners.keys()) listener(event);
  }
}
