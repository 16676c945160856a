import type { JobWithMetadata, PgBoss } from "pg-boss";
import { withoutSecrets } from "../../store/index.js";
import { CliptError, messageOf } from "../../tensor/index.js";
import type { FoundFile } from "./index-files.js";

/** A part of the work: files that one worker indexes. */
export interface Slice {
  readonly files: readonly FoundFile[];
  readonly exact: boolean;
}

export interface TakenSlice {
  readonly id: string;
  readonly slice: Slice;
}

export interface FailedSlice {
  readonly id: string;
  readonly files: readonly string[];
  readonly reason: string;
}

/** Files in a slice: large enough to be worth a transaction, small enough to be lost. */
const sliceSize = 200;
/** A worker that has not been heard of for this long is gone, and its slice is given to another. */
const silentSeconds = 15;
const tries = 5;

/**
 * The work of one model in a PostgreSQL server, by pg-boss. Slices may be done twice (a worker was thought to be dead): that
 * changes nothing. After five tries a slice is put aside.
 */
export class IndexQueue {
  private constructor(
    private readonly boss: PgBoss,
    private readonly name: string,
  ) {}

  /** @throws `io` when the server does not answer */
  static async open(url: string, identity: string): Promise<IndexQueue> {
    if (!/^postgres(ql)?:\/\//.test(url))
      throw new CliptError(
        "usage",
        `A queue is in PostgreSQL: postgres://user:password@host/database, not ${url}.`,
      );
    const { PgBoss } = await import("pg-boss");
    const boss = new PgBoss({
      connectionString: url,
      max: 4,
      superviseIntervalSeconds: 5,
      monitorIntervalSeconds: 5,
      schedule: false,
    });
    // What a call cannot do it throws itself; the rest is tried again.
    boss.on("error", () => {});
    const name = `clipt-index-${identity.slice(0, 16)}`;
    try {
      await boss.start();
      await boss.createQueue(`${name}-failed`, { retentionSeconds: 365 * 86_400 });
      await boss.createQueue(name, {
        deadLetter: `${name}-failed`,
        retryLimit: tries - 1,
        retryDelay: 1,
        retryBackoff: true,
        heartbeatSeconds: silentSeconds,
        expireInSeconds: 6 * 3600,
      });
    } catch (cause) {
      await boss.stop({ graceful: false }).catch(() => {});
      throw new CliptError("io", `The queue at ${withoutSecrets(url)} cannot be used: ${messageOf(cause)}`, {
        cause,
      });
    }
    return new IndexQueue(boss, name);
  }

  /** @returns how many slices that makes */
  async send(files: readonly FoundFile[], exact: boolean): Promise<number> {
    const jobs = [];
    for (let i = 0; i < files.length; i += sliceSize)
      jobs.push({ data: { files: files.slice(i, i + sliceSize), exact } satisfies Slice });
    for (let i = 0; i < jobs.length; i += 100) await this.boss.insert(this.name, jobs.slice(i, i + 100));
    return jobs.length;
  }

  /** The next slice, which is this worker's as long as it is touched; undefined when none waits. */
  async take(): Promise<TakenSlice | undefined> {
    const [job] = await this.boss.fetch<Slice>(this.name);
    return job && { id: job.id, slice: job.data };
  }

  async touch(id: string): Promise<void> {
    await this.boss.touch(this.name, id);
  }

  async complete(id: string): Promise<void> {
    await this.boss.complete(this.name, id);
  }

  /** Another try is made later, unless that was the last. */
  async fail(id: string, reason: string): Promise<void> {
    await this.boss.fail(this.name, id, { reason });
  }

  /** Slices that wait or are being worked on. */
  async left(): Promise<number> {
    // Not pg-boss's own counts: those are renewed now and then.
    const { rows } = await this.boss
      .getDb()
      .executeSql("SELECT count(*)::int AS n FROM pgboss.job WHERE name = $1 AND state < 'completed'", [
        this.name,
      ]);
    return (rows as { n: number }[])[0]?.n ?? 0;
  }

  /** Slices that were put aside. */
  async failed(): Promise<FailedSlice[]> {
    const jobs: JobWithMetadata<Slice>[] = await this.boss.findJobs<Slice>(`${this.name}-failed`, {
      queued: true,
    });
    return jobs.map(({ id, data, sourceOutput }) => ({
      id,
      files: data.files.map(({ file }) => file.path),
      reason: reasonOf(sourceOutput),
    }));
  }

  /** Gives them another chance. @returns how many */
  async retry(): Promise<number> {
    return this.boss.redrive(`${this.name}-failed`);
  }

  async close(): Promise<void> {
    await this.boss.stop({ graceful: false });
  }
}

function reasonOf(output: unknown): string {
  const { reason, message } = (output ?? {}) as { reason?: unknown; message?: unknown };
  const said = reason ?? message;
  return typeof said === "string" ? said : "its workers ended without a word";
}
