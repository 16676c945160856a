import type { Item, Store } from "../../store/index.js";

/** Items in one write: what a killed process may have to encode again. */
const atOnce = 64;
/** Nothing waits longer than this for its write. */
const afterMs = 2000;

/** Writes items in order, one write at a time, while the next ones are being made. */
export class Writer {
  private waiting: Item[] = [];
  private since = 0;
  private writing: Promise<void> = Promise.resolve();
  private written = 0;

  /** @param wrote is told how many are there, once they are */
  constructor(
    private readonly store: Store,
    private readonly wrote: (written: number) => void,
  ) {}

  /** Resolves at once, or when the write before has ended: whoever makes items cannot run away. @throws what a write threw */
  async add(item: Item): Promise<void> {
    if (this.waiting.length === 0) this.since = Date.now();
    this.waiting.push(item);
    if (this.waiting.length >= atOnce || Date.now() - this.since > afterMs) await this.flush();
  }

  /** Writes the rest. */
  async end(): Promise<void> {
    await this.flush();
    await this.writing;
  }

  private async flush(): Promise<void> {
    await this.writing;
    if (this.waiting.length === 0) return;
    const items = this.waiting;
    this.waiting = [];
    this.writing = this.store.upsert(items).then(() => {
      this.written += items.length;
      this.wrote(this.written);
    });
    // Whoever adds next sees the error.
    this.writing.catch(() => {});
  }
}
