import type { Item, Store } from "../../store/index.js";

/** Items that are worth a write. */
const worthWriting = 64;
/** Nothing waits longer than this for its write … */
const afterMs = 2000;
/** … unless writes take long, as they do in a large index: a twentieth of the time is theirs … */
const restsFor = 20;
/** … but no longer than this in any case. */
const atMostMs = 10_000;
/** Items in one write, however long writes take. */
const most = 1024;

/** Writes items in order, one write at a time, while the next ones are being made. */
export class Writer {
  private waiting: Item[] = [];
  private since = 0;
  private tookMs = 0;
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
    if (this.isDue()) await this.flush();
  }

  /** Writes the rest. */
  async end(): Promise<void> {
    await this.flush();
    await this.writing;
  }

  private isDue(): boolean {
    if (this.waiting.length >= most) return true;
    const waitedMs = Date.now() - this.since;
    if (waitedMs < Math.min(atMostMs, restsFor * this.tookMs)) return false;
    return this.waiting.length >= worthWriting || waitedMs >= afterMs;
  }

  private async flush(): Promise<void> {
    await this.writing;
    if (this.waiting.length === 0) return;
    const items = this.waiting;
    this.waiting = [];
    const start = Date.now();
    this.writing = this.store.upsert(items).then(() => {
      this.tookMs = Date.now() - start;
      this.written += items.length;
      this.wrote(this.written);
    });
    // Whoever adds next sees the error.
    this.writing.catch(() => {});
  }
}
