import { random, shuffle, type Random, type Seed } from "../../tensor/index.js";
import type { LabelSet } from "./labels.js";
import type { Weighted } from "./open-source.js";
import type { Sample } from "./sample.js";
import type { Report, Shard } from "./source.js";

/** A source in a training mixture, with what its class numbers mean where its samples have no captions. */
export interface Ingredient extends Weighted {
  readonly labels?: readonly LabelSet[];
}

/** A sample as it is drawn in an epoch. */
export interface Draw {
  readonly sample: Sample;
  readonly labels: readonly LabelSet[];
  readonly epoch: number;
  /** How many were drawn before it in this epoch. */
  readonly index: number;
}

/** A place in the endless stream of draws. */
export interface Position {
  readonly epoch: number;
  readonly drawn: number;
}

export interface Order {
  readonly seed: Seed;
  /** Samples from which the next is drawn. They are references of a few hundred bytes: the pictures stay on disk. */
  readonly shuffleBuffer: number;
}

/** The seed of one purpose and place under a run's seed. */
export const subSeed = (seed: Seed, ...path: (number | string)[]): Seed => [JSON.stringify(seed), ...path];

/** Shards that are read at the same time, so that sources mix although each shard is read from start to end. */
const OPEN_SHARDS = 16;
/** A list is shuffled as a whole, then takes part as shards of this many samples. */
const LIST_PART = 1000;

/**
 * The samples of a mixture in random order, epoch after epoch; it ends only when an epoch has no sample at all.
 * The order is a function of the seed and the epoch alone. Starting later reads and drops what came before.
 * An epoch shows each sample of a source `factor` times; of a fraction, a share of samples drawn anew in each epoch.
 */
export async function* draws(
  mixture: readonly Ingredient[],
  order: Order,
  from: Position,
  report: Report,
): AsyncGenerator<Draw> {
  for (let epoch = from.epoch; ; epoch++) {
    let index = 0;
    const skip = epoch === from.epoch ? from.drawn : 0;
    for await (const drawn of drawEpoch(mixture, order, epoch, report)) {
      if (index >= skip) yield { ...drawn, epoch, index };
      index++;
    }
    // Without a sample the next epoch would be as empty, and nothing would ever come.
    if (index === 0) return;
  }
}

type Drawn = Pick<Draw, "sample" | "labels">;
type Stream = AsyncIterable<Drawn>;

async function* drawEpoch(
  mixture: readonly Ingredient[],
  { seed, shuffleBuffer }: Order,
  epoch: number,
  report: Report,
): AsyncGenerator<Drawn> {
  const rng = random(subSeed(seed, "order", epoch));
  const streams: Stream[] = [];
  for (const [number, { source, factor, labels = [] }] of mixture.entries())
    for (let pass = 0; pass < factor; pass++) {
      const share = Math.min(1, factor - pass);
      const chosen = share === 1 ? () => true : thinned(share, seed, "share", epoch, number);
      for (const shard of source.shards) {
        const stream = filtered(shard, chosen, labels, report);
        streams.push(...(shard.list ? await parts(stream, rng) : [stream]));
      }
    }
  yield* throughBuffer(interleaved(shuffle(streams, rng), rng), shuffleBuffer, rng);
}

/** Says of each sample whether it belongs to this epoch's share. */
const thinned =
  (share: number, seed: Seed, ...path: (number | string)[]) =>
  (sample: Sample): boolean =>
    random(subSeed(seed, ...path, sample.key)).next() < share;

async function* filtered(
  shard: Shard,
  chosen: (sample: Sample) => boolean,
  labels: readonly LabelSet[],
  report: Report,
): AsyncGenerator<Drawn> {
  for await (const sample of shard.samples(report)) if (chosen(sample)) yield { sample, labels };
}

async function parts(stream: Stream, rng: Random): Promise<Stream[]> {
  const all: Drawn[] = [];
  for await (const drawn of stream) all.push(drawn);
  shuffle(all, rng);
  return Array.from({ length: Math.ceil(all.length / LIST_PART) }, (_, i) =>
    each(all.slice(i * LIST_PART, (i + 1) * LIST_PART)),
  );
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** Takes each next item from one of the open streams at random. */
async function* interleaved<T>(streams: readonly AsyncIterable<T>[], rng: Random): AsyncGenerator<T> {
  const waiting = streams.map((stream) => stream[Symbol.asyncIterator]());
  const open = waiting.splice(0, OPEN_SHARDS);
  try {
    while (open.length > 0) {
      const i = rng.int(open.length);
      const result = await open[i]?.next();
      if (result?.done === false) yield result.value;
      else open.splice(i, 1, ...waiting.splice(0, 1));
    }
  } finally {
    for (const stream of open) await stream.return?.();
  }
}

async function* throughBuffer<T>(items: AsyncIterable<T>, size: number, rng: Random): AsyncGenerator<T> {
  const buffer: T[] = [];
  for await (const item of items) {
    const i = rng.int(buffer.length);
    const out = buffer[i];
    if (out === undefined || buffer.length < size) buffer.push(item);
    else {
      buffer[i] = item;
      yield out;
    }
  }
  yield* shuffle(buffer, rng);
}
