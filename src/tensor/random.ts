/**
 * Seeded random numbers, the same on every machine: sfc32 by Chris Doty-Humphrey (public domain, PractRand).
 * The state is four integers, so a checkpoint can hold it and a stream can go on exactly where it stopped.
 */
export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  next(): number;
  /** Uniform integer in [0, n). */
  int(n: number): number;
  /** Standard normal, Box–Muller. */
  normal(): number;
  /** The four words of the state. */
  state(): readonly number[];
}

export type Seed = number | string | readonly (number | string)[];

/** A generator whose stream is fixed by the seed; lists name independent streams: `random([seed, "epoch", 3])`. */
export function random(seed: Seed): Random {
  const text = JSON.stringify(seed);
  // FNV-1a from two starts spreads the seed's text over the state; 20 rounds mix it.
  const state = [hash(text, 0x811c9dc5), hash(text, 0x9e3779b9), hash(text, 0x85ebca6b), 1];
  const generator = resumeRandom(state);
  for (let i = 0; i < 20; i++) generator.next();
  return generator;
}

/** A generator that continues from a saved state. */
export function resumeRandom(saved: readonly number[]): Random {
  let [a = 0, b = 0, c = 0, d = 1] = saved.map((word) => word | 0);
  const word = (): number => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return t >>> 0;
  };
  const next = () => word() / 4294967296;
  return {
    next,
    int: (n) => Math.floor(next() * n),
    // 1 − u lies in (0, 1]: its logarithm is finite.
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    state: () => [a, b, c, d],
  };
}

/** Fisher–Yates, in place. */
export function shuffle<T>(items: T[], rng: Random): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = rng.int(i + 1);
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
  return items;
}

function hash(text: string, start: number): number {
  let h = start | 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h;
}
