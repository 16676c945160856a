import { Heap } from "./heap.js";

interface Candidate {
  readonly pair: number;
  readonly count: number;
}

export interface Pair {
  readonly left: number;
  readonly right: number;
  /** Where it may occur: every place where it does is among them. */
  readonly words: ReadonlySet<number>;
}

/** How often symbols stand side by side, in which words, and which pair does so most often. */
export class PairCounts {
  private readonly counts = new Map<number, number>();
  private readonly places = new Map<number, Set<number>>();
  // Counts of the time when a pair was queued; what shrank since is queued again when it surfaces.
  private readonly queue: Heap<Candidate>;
  private readonly grown = new Set<number>();

  /** @param spellings of the symbols; grows while pairs are merged, up to `limit` */
  constructor(
    private readonly spellings: readonly string[],
    private readonly limit: number,
  ) {
    this.queue = new Heap(
      (a, b) => a.count > b.count || (a.count === b.count && this.spelledBefore(a.pair, b.pair)),
    );
  }

  /** Notes that `left right` occurs `change` times more (or less) in a word. */
  add(left: number, right: number, change: number, word: number): void {
    const pair = left * this.limit + right;
    this.counts.set(pair, (this.counts.get(pair) ?? 0) + change);
    if (change < 0) return;
    this.grown.add(pair);
    const places = this.places.get(pair);
    if (places === undefined) this.places.set(pair, new Set([word]));
    else places.add(word);
  }

  /** The most frequent pair, of several the first by spelling; each is taken once, unless it grows again. */
  takeBest(minFrequency: number): Pair | undefined {
    for (const pair of this.grown) this.queue.push({ pair, count: this.counts.get(pair)! });
    this.grown.clear();
    for (let best = this.queue.pop(); best !== undefined; best = this.queue.pop()) {
      const { pair } = best;
      const count = this.counts.get(pair)!;
      if (best.count < minFrequency) return undefined;
      if (count !== best.count) {
        if (count >= minFrequency && count < best.count) this.queue.push({ pair, count });
        continue;
      }
      return { left: Math.floor(pair / this.limit), right: pair % this.limit, words: this.places.get(pair)! };
    }
    return undefined;
  }

  private spelledBefore(a: number, b: number): boolean {
    const { spellings, limit } = this;
    const [leftA, leftB] = [spellings[Math.floor(a / limit)]!, spellings[Math.floor(b / limit)]!];
    return leftA < leftB || (leftA === leftB && spellings[a % limit]! < spellings[b % limit]!);
  }
}
