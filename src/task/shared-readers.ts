import type { PictureOptions } from "../train/data/index.js";

/** For fewer pictures, starting threads takes longer than decoding here. */
const worthWorkers = 8;

/** Reads pictures, with threads or without. */
interface Reader {
  /** Whether it was closed, or one of its threads failed: it reads nothing more. */
  ended(): boolean;
  close(): Promise<void>;
}

/** Readers whose threads are started once, and shared by all who ask for the same. */
export interface SharedReaders<R extends Reader> {
  /** @param expected how many pictures there are: for a few, no threads are started */
  get(options: PictureOptions, expected: number): Promise<R>;
  close(): Promise<void>;
}

/**
 * @param open    opens a reader with so many threads; 0: everything in this thread
 * @param workers threads of a shared one
 */
export function sharedReaders<R extends Reader>(
  open: (options: PictureOptions, workers: number) => Promise<R>,
  workers: number,
): SharedReaders<R> {
  const readers = new Map<string, Promise<R>>();
  return {
    async get(options, expected) {
      const key = JSON.stringify(options);
      const known = await readers.get(key);
      if (known?.ended()) readers.delete(key);
      if (expected < worthWorkers && !readers.has(key)) return open(options, 0);
      const shared = readers.get(key) ?? open(options, workers);
      readers.set(key, shared);
      return { ...(await shared), close: async () => {} };
    },
    async close() {
      for (const reader of readers.values()) await (await reader).close();
      readers.clear();
    },
  };
}
