import { createHash } from "node:crypto";
import { basename } from "node:path";
import { CliptError, tensor, type Seed, type Tensor } from "../../tensor/index.js";
import { inOrder } from "./in-order.js";
import { drawPair, groupsOf, type LanguageWeights, type Pair } from "./pair.js";
import type { RowReader } from "./row-reader.js";
import { draws, subSeed, type Draw, type Ingredient, type Position } from "./sampler.js";
import { Skips } from "./skips.js";
import { mapSource } from "./source.js";

export interface LoaderOptions {
  readonly batchSize: number;
  readonly seed: Seed;
  /** What becomes of the pictures; without it, batches hold pairs only. The loader closes it. */
  readonly rows?: RowReader;
  /** Samples from which the next is drawn; 5000 when absent, as in open_clip. */
  readonly shuffleBuffer?: number;
  readonly languages?: LanguageWeights;
  /** Batches prepared while the training step runs; 2 when absent. Memory holds one more than these. */
  readonly prefetch?: number;
  /** Where to go on: the state after the last batch that was trained on. */
  readonly resume?: LoaderState;
  /** Where a stream without such a state begins; 0 when absent. */
  readonly epoch?: number;
  readonly signal?: AbortSignal;
}

/** All that a checkpoint needs to go on with the very next batch. */
export interface LoaderState extends Position {
  /** Hash of the shards' names, factors, seed and buffer: other data would give another order. */
  readonly data: string;
}

export interface Batch {
  readonly epoch: number;
  readonly pairs: readonly Pair[];
  /** [batch]; pairs of one number are not each other's negatives, see `groupsOf`. */
  readonly groups: Int32Array;
  /** [batch, ...row]; absent when the loader has no row reader. */
  readonly rows?: Tensor<"float32">;
  /** The loader's state after this batch. */
  readonly state: LoaderState;
}

/** Batches of one size for ever, epoch after epoch; an epoch's incomplete last batch is left out. */
export interface Loader extends AsyncIterable<Batch> {
  /**
   * @throws `input` when an epoch has no full batch of usable pairs, `usage` when `resume` belongs to other data,
   *         `cancelled` after the signal, and what ends a worker
   */
  next(): Promise<Batch>;
  /** The state after the last batch that `next` gave. */
  state(): LoaderState;
  /** What could not be used so far. */
  readonly skips: Skips;
  /** Ends the workers. */
  close(): Promise<void>;
}

/**
 * Opens the stream of training batches. Its content is a function of (mixture, seed, buffer, batch size) and the
 * position alone: workers, their number and their timing change nothing. A broken sample is skipped, counted and
 * named, and the samples after it move up.
 */
export function openLoader(mixture: readonly Ingredient[], options: LoaderOptions): Loader {
  const { batchSize, seed, rows, shuffleBuffer = 5000, prefetch = 2, signal } = options;
  if (!(Number.isInteger(batchSize) && batchSize > 0))
    throw new CliptError("usage", `A batch size of ${batchSize} is not valid; a whole number above 0 is.`);
  const data = identify(mixture, seed, shuffleBuffer);
  let state: LoaderState = options.resume ?? { epoch: options.epoch ?? 0, drawn: 0, data };
  if (state.data !== data)
    throw new CliptError(
      "usage",
      "The run to be resumed read other data: shards, upsampling factors, seed or shuffle buffer differ.",
    );
  const skips = new Skips();
  // Cancelling also has to end a long skip to the place where a run is resumed.
  const watched = mixture.map(({ source, ...rest }) => ({
    ...rest,
    source: mapSource(source, (sample) => {
      if (signal?.aborted === true) throw cancelled(signal);
      return sample;
    }),
  }));
  const stream = draws(watched, { seed, shuffleBuffer }, state, skips.add);
  const loaded = inOrder(
    stream,
    (draw) => loadDraw(draw, options),
    prefetch * batchSize + (rows?.parallel ?? 0),
  );
  const batches = fullBatches(loaded, batchSize, state, skips);

  const abort = (): void => void rows?.close();
  signal?.addEventListener("abort", abort, { once: true });
  const close = async (): Promise<void> => {
    signal?.removeEventListener("abort", abort);
    // The readers go first: the stream can only be left when no read is under way.
    await rows?.close();
    await batches.return(undefined);
  };
  const next = async (): Promise<Batch> => {
    try {
      const items = await batches.next();
      if (items.done === true) throw new CliptError("cancelled", "The loader was closed.");
      const batch = assemble(items.value, rows?.shape, data);
      state = batch.state;
      return batch;
    } catch (error) {
      await close();
      throw signal?.aborted === true ? cancelled(signal) : error;
    }
  };
  return {
    next,
    state: () => state,
    skips,
    close,
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) yield await next();
      } finally {
        await close();
      }
    },
  };
}

const cancelled = (signal: AbortSignal): CliptError =>
  new CliptError("cancelled", "Reading the training data was cancelled.", { cause: signal.reason });

/** A draw with all that belongs to it, or why it cannot be used. */
type Loaded = Usable | { readonly draw: Draw; readonly reason: string };
interface Usable {
  readonly draw: Draw;
  readonly pair: Pair;
  readonly row: Float32Array | undefined;
}

async function loadDraw(draw: Draw, { seed, languages, rows }: LoaderOptions): Promise<Loaded> {
  const pair = drawPair(draw, seed, languages);
  if ("reason" in pair) return { draw, ...pair };
  const row = await rows?.read(draw.sample, subSeed(seed, "row", draw.epoch, draw.index));
  return row === undefined || row instanceof Float32Array ? { draw, pair, row } : { draw, ...row };
}

/** Groups what can be used into full batches and counts the rest. Batches don't reach over the end of an epoch. */
async function* fullBatches(
  loaded: AsyncGenerator<Loaded>,
  batchSize: number,
  from: Position,
  skips: Skips,
): AsyncGenerator<readonly Usable[]> {
  let epoch = from.epoch;
  let batch: Usable[] = [];
  // The rest of an epoch that was begun before may well be too short.
  let fruitful = from.drawn > 0;
  let usable = 0;
  for await (const item of loaded) {
    if (item.draw.epoch !== epoch) {
      if (!fruitful) throw tooFew(usable, batchSize, skips);
      epoch = item.draw.epoch;
      batch = [];
      fruitful = false;
      usable = 0;
    }
    if ("reason" in item) {
      skips.add({ shard: item.draw.sample.shard, key: item.draw.sample.key, reason: item.reason });
      continue;
    }
    usable++;
    batch.push(item);
    if (batch.length < batchSize) continue;
    yield batch;
    fruitful = true;
    batch = [];
  }
  throw tooFew(usable, batchSize, skips);
}

function tooFew(usable: number, batchSize: number, skips: Skips): CliptError {
  const reasons = skips.count === 0 ? "" : `\n${skips.summary()}`;
  return new CliptError(
    "input",
    usable === 0
      ? `Nothing in the training data can be used.${reasons}`
      : `The training data has ${usable} usable pairs; a batch needs ${batchSize}. Give more data or a smaller batch.${reasons}`,
  );
}

function assemble(items: readonly Usable[], shape: readonly number[] | undefined, data: string): Batch {
  const pairs = items.map((item) => item.pair);
  const last = items.at(-1)?.draw ?? { epoch: 0, index: -1 };
  const batch = {
    epoch: last.epoch,
    pairs,
    groups: groupsOf(pairs),
    state: { epoch: last.epoch, drawn: last.index + 1, data },
  };
  return shape === undefined
    ? batch
    : {
        ...batch,
        rows: stackRows(
          items.map((item) => item.row),
          shape,
        ),
      };
}

/** Rows of one shape as one tensor [rows, ...shape]. */
export function stackRows(
  rows: readonly (Float32Array | undefined)[],
  shape: readonly number[],
): Tensor<"float32"> {
  const size = shape.reduce((product, length) => product * length, 1);
  const data = new Float32Array(rows.length * size);
  for (const [i, row] of rows.entries()) data.set(row ?? [], i * size);
  return tensor("float32", [rows.length, ...shape], data);
}

/** Names without their folders, so that data may move. */
function identify(mixture: readonly Ingredient[], seed: Seed, shuffleBuffer: number): string {
  const parts = mixture.map(({ source, factor }) => [
    source.shards.map(({ name }) => basename(name)),
    factor,
  ]);
  return createHash("sha256")
    .update(JSON.stringify([parts, seed, shuffleBuffer]))
    .digest("hex")
    .slice(0, 16);
}
