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

  /** Takes places. @returns what gives them back @throws `Refusal` when too few are left, or the server stops */
  enter(places = 1): () => void {
    if (this.closing) throw new Refusal("unavailable", "The server is stopping.", retryLater);
    if (this.inside + places > this.places)
      throw new Refusal("busy", "Too much is waiting to be worked on; try again soon.", retryLater);
    this.inside += places;
    return () => {
      this.inside -= places;
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
