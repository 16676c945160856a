import { Refusal, retryLater } from "./refusal.js";

/** Counts what is worked on, and refuses what would wait too long. */
export class Queue {
  private inside = 0;
  private closing = false;
  private empty: (() => void) | undefined;

  constructor(private readonly places: number) {}

  get length(): number {
    return this.inside;
  }

  get closed(): boolean {
    return this.closing;
  }

  /** Takes a place. @returns what gives it back @throws `Refusal` when all are taken, or the server stops */
  enter(): () => void {
    if (this.closing) throw new Refusal("unavailable", "The server is stopping.", retryLater);
    if (this.inside >= this.places)
      throw new Refusal("busy", `${this.inside} requests are waiting already; try again soon.`, retryLater);
    this.inside++;
    return () => {
      this.inside--;
      if (this.inside === 0) this.empty?.();
    };
  }

  /** Lets nobody in any more. @returns a promise that resolves when all have left */
  close(): Promise<void> {
    this.closing = true;
    if (this.inside === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.empty = resolve;
    });
  }
}
