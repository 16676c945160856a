/** Who wants something done: nothing is done for those whose signal is aborted, and the background comes last. */
export interface Asker {
  readonly signal?: AbortSignal;
  readonly background?: boolean;
}

interface Waiting<T, R> {
  readonly item: T;
  readonly asker: Asker;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/** One line of items, worked off in batches, one batch at a time. */
export class Batches<T, R> {
  private readonly line: Waiting<T, R>[] = [];
  private readonly background: Waiting<T, R>[] = [];
  private running = false;

  constructor(
    private readonly most: number,
    private readonly work: (batch: readonly T[]) => Promise<readonly R[]>,
  ) {}

  get waiting(): number {
    return this.line.length + this.background.length;
  }

  add(item: T, asker: Asker): Promise<R> {
    return new Promise((resolve, reject) => {
      (asker.background === true ? this.background : this.line).push({ item, asker, resolve, reject });
      if (this.running) return;
      this.running = true;
      // After the other requests that have arrived by now.
      setImmediate(() => void this.run());
    });
  }

  private async run(): Promise<void> {
    for (let batch = this.next(); batch.length > 0; batch = this.next()) await this.answer(batch);
    this.running = false;
  }

  /** The first that still wait for an answer; those who wait for nobody only when nobody else does. */
  private next(): Waiting<T, R>[] {
    const line = this.line.length > 0 ? this.line : this.background;
    const batch: Waiting<T, R>[] = [];
    while (batch.length < this.most && line.length > 0) {
      const waiting = line.shift()!;
      if (waiting.asker.signal?.aborted === true) waiting.reject(waiting.asker.signal.reason);
      else batch.push(waiting);
    }
    return batch.length === 0 && this.waiting > 0 ? this.next() : batch;
  }

  private async answer(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.work(batch.map(({ item }) => item));
      for (const [i, { resolve }] of batch.entries()) resolve(results[i]!);
    } catch (error) {
      const [first, ...others] = batch;
      // One that cannot be encoded is not the fault of those beside it.
      if (others.length === 0) first?.reject(error);
      else for (const waiting of batch) await this.answer([waiting]);
    }
  }
}
