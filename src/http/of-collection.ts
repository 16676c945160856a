import { setTimeout as wait } from "node:timers/promises";
import type { Collection } from "../task/collection/collection.js";
import { stampOf } from "../task/collection/stamp.js";
import type { Context } from "../task/task.js";
import type { Jobs, JobState } from "./jobs.js";

/** Whoever asks waits so long for a job: that of a small collection is quicker. */
const patienceMs = 500;

type Work = Pick<Context, "signal" | "emit">;

/** What is found by looking through the whole collection, by a job; kept until the collection changes. */
export class OfCollection<T> {
  private last: { readonly stamp: string; readonly value: T } | undefined;
  private finding: Promise<void> | undefined;

  constructor(
    private readonly kind: string,
    private readonly jobs: Jobs,
    private readonly collection: Collection,
    private readonly find: (context: Work) => Promise<T>,
  ) {}

  /**
   * What was found the last time, and the job that looks anew where that is stale.
   *
   * @throws `failed` a while after the job has failed
   */
  async ask(): Promise<{ value?: T; job?: JobState }> {
    if (await this.isFresh()) return { value: this.last!.value };
    const job = this.jobs.ensure(
      this.kind,
      (context) => (this.finding = this.get(context).then(() => undefined)),
      { aside: true },
    );
    await Promise.race([this.finding?.catch(() => {}), wait(patienceMs)]);
    const value = this.last && { value: this.last.value };
    if (await this.isFresh()) return { ...value };
    return { ...value, job: this.jobs.get(job.id) ?? job };
  }

  /** The same, for a job that needs it. */
  async get(context: Work): Promise<T> {
    const stamp = await stampOf(this.collection);
    if (this.last?.stamp !== stamp) this.last = { stamp, value: await this.find(context) };
    return this.last.value;
  }

  private async isFresh(): Promise<boolean> {
    return this.last !== undefined && this.last.stamp === (await stampOf(this.collection));
  }
}
