import type { Sample } from "./sample.js";

/** Something that could not be used: a sample, or (without a key) a stretch of a shard. */
export interface Skip {
  readonly shard: string;
  readonly key?: string;
  readonly reason: string;
}

export type Report = (skip: Skip) => void;

/** A part of a data set that is read from its start to its end. */
export interface Shard {
  readonly name: string;
  /**
   * True for lists (tables, folders), which people keep sorted by class: a shuffle takes all of it.
   * False for archives, which were shuffled when they were written: a shuffle takes a stretch at a time.
   */
  readonly list: boolean;
  /**
   * Its samples in the order of the file, the same at each call; several calls may run at once.
   * What is broken is reported, once, and left out; a shard that cannot be opened is one report and no samples.
   * Pictures are not decoded here, so a broken picture is still delivered. Stopping early releases the file.
   */
  samples(report: Report): AsyncIterable<Sample>;
}

/** A data set: WebDataset archives, a table, a folder of pictures, JSON lines. */
export interface Source {
  /** What the user wrote to name it. */
  readonly name: string;
  /** In the order of their names; at least one. */
  readonly shards: readonly Shard[];
}

/** The same source with each sample replaced by what `map` returns; `undefined` leaves it out. */
export function mapSource(source: Source, map: (sample: Sample) => Sample | undefined): Source {
  const mapShard = (shard: Shard): Shard => ({
    ...shard,
    async *samples(report) {
      for await (const sample of shard.samples(report)) {
        const mapped = map(sample);
        if (mapped !== undefined) yield mapped;
      }
    },
  });
  return { ...source, shards: source.shards.map(mapShard) };
}
