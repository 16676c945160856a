import type { Filter } from "./filter.js";
import { memoryStore } from "./memory.js";
import type { Store } from "./store.js";

/** What an item takes besides its vector: measured with the fields of `clipt index`. */
const itemBytes = 1024;
/** Times that a condition is asked with before the items that meet it are copied. */
const worthCopying = 2;
/** Sets and conditions that are counted. */
const mostCounted = 1000;

/** Items of a set, all or those that meet a condition, as they were at one version of the store. */
interface Copy {
  readonly version: string;
  readonly whole: boolean;
  readonly bytes: number;
  readonly store: Store;
}

const keyOf = (identity: string, where: Filter | undefined): string =>
  where === undefined ? identity : `${identity} ${JSON.stringify(where)}`;

/**
 * Copies in memory of what a store holds: of whole sets, and of what meets a condition that was asked with before. Each is
 * tried once for a version of the store, when that is at rest; together they take at most `bytes`, and the one that was
 * not asked for longest goes.
 */
export class Copies {
  /** By `keyOf`, the one that was asked last at the end. */
  private readonly copies = new Map<string, Copy>();
  private copying: Promise<void> | undefined;
  /** The version that was there at the last look, since when, and how often each copy was asked for. */
  private seen = { version: "", since: -Infinity, asked: new Map<string, number>() };

  constructor(
    private readonly store: Store,
    private readonly bytes: number,
    private readonly restMs: number,
  ) {}

  /** The copy of now; soon, if there is none yet and the store is at rest. */
  async of(now: string, identity: string, where?: Filter): Promise<Store | undefined> {
    const key = keyOf(identity, where);
    if (this.copies.get(key)?.version !== now) {
      this.copySoon(now, identity, where);
      if (this.restMs === 0) await this.copying;
    }
    const copy = this.copies.get(key);
    if (copy?.version !== now) return undefined;
    this.copies.delete(key);
    this.copies.set(key, copy);
    return copy.store;
  }

  /** A copy of all items. */
  whole(now: string): Store | undefined {
    return [...this.copies.values()].find(({ version, whole }) => whole && version === now)?.store;
  }

  private copySoon(now: string, identity: string, where: Filter | undefined): void {
    if (this.seen.version !== now) {
      const since = this.seen.version === "" ? -Infinity : performance.now();
      this.seen = { version: now, since, asked: new Map() };
    }
    const { since, asked } = this.seen;
    if (this.copying !== undefined || performance.now() - since < this.restMs) return;
    if (asked.size >= mostCounted) asked.clear();
    const key = keyOf(identity, where);
    const times = (asked.get(key) ?? 0) + 1;
    asked.set(key, times);
    if (times !== (where === undefined ? 1 : worthCopying)) return;
    this.copying = this.copy(now, identity, where)
      // Whatever it was, the store itself says it.
      .catch(() => {})
      .finally(() => {
        this.copying = undefined;
      });
  }

  private async copy(version: string, identity: string, where: Filter | undefined): Promise<void> {
    for (const [key, copy] of this.copies) if (copy.version !== version) this.copies.delete(key);
    const set = (await this.store.sets()).find((set) => set.identity === identity);
    if (set === undefined) return;
    const bytes = (await this.store.count(where)) * (4 * set.dim + itemBytes);
    if (bytes > this.bytes) return;
    // Before it is made: both would take more memory than they may.
    for (const key of this.copies.keys()) if (this.taken() + bytes > this.bytes) this.copies.delete(key);
    const into = memoryStore();
    await into.declare(await this.store.fields());
    await into.addSet(set);
    for await (const items of this.store.scan({ identity, ...(where !== undefined && { where }) }))
      await into.upsert(items);
    if ((await this.store.version()) !== version) return;
    this.copies.set(keyOf(identity, where), { version, whole: where === undefined, bytes, store: into });
  }

  private taken = (): number => [...this.copies.values()].reduce((sum, { bytes }) => sum + bytes, 0);
}
