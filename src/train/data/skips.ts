import type { Report, Skip } from "./source.js";

/** More than this many are counted, but no longer kept by name. */
const KEPT = 1000;

/** What was skipped so far. The same skip in a later epoch counts once. */
export class Skips {
  readonly #known = new Set<string>();
  readonly #kept: Skip[] = [];

  /** @param report told of each new skip as well */
  constructor(private readonly report?: Report) {}

  /** Different things that were skipped: samples, and stretches of shards. */
  get count(): number {
    return this.#known.size;
  }

  /** The first thousand of them, by name. */
  get list(): readonly Skip[] {
    return this.#kept;
  }

  readonly add = (skip: Skip): void => {
    const name = JSON.stringify([skip.shard, skip.key, skip.reason]);
    if (this.#known.has(name)) return;
    this.#known.add(name);
    if (this.#kept.length < KEPT) this.#kept.push(skip);
    this.report?.(skip);
  };

  /** Readable lines: how many, and the first few by name; empty when nothing was skipped. */
  summary(lines = 5): string {
    if (this.count === 0) return "";
    const shown = this.#kept.slice(0, lines).map(showSkip);
    const rest = this.count - shown.length;
    return [`${this.count} skipped:`, ...shown, ...(rest > 0 ? [`… and ${rest} more`] : [])].join("\n  ");
  }
}

export const showSkip = ({ shard, key, reason }: Skip): string =>
  key === undefined ? `${shard}: ${reason}` : `${shard}: ${key}: ${reason}`;
