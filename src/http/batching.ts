import type { Encoder } from "../model/index.js";
import { f32 } from "../tensor/index.js";
import { Batches, type Asker } from "./batches.js";

/**
 * Gathers what many ask of one encoder into batches: while one runs, the next one collects. Nothing waits for a batch to
 * fill, so that whoever is alone is answered as quickly as without.
 */
export interface Batching {
  /** The encoder as one of those who ask it. */
  for(asker: Asker): Encoder;
  /** Texts and pictures that wait. */
  readonly waiting: { readonly texts: number; readonly pictures: number };
}

export interface BatchingOptions {
  /** Texts in one batch. */
  readonly texts: number;
  /** Pictures in one batch: on a processor they gain little from each other, and a large batch keeps all others waiting. */
  readonly pictures: number;
}

export const defaultBatches: BatchingOptions = { texts: 64, pictures: 4 };

interface TextRow {
  readonly row: Float32Array;
  readonly truncated: boolean;
}

/** Vectors of texts that are remembered: labels and common queries come again and again. */
const remembered = 4096;
/** Longer texts hardly come again. */
const longest = 200;

export function batchingEncoder(
  encoder: Encoder,
  { texts, pictures }: BatchingOptions = defaultBatches,
): Batching {
  const textBatches = new Batches(texts, async (batch: readonly string[]): Promise<TextRow[]> => {
    const places = new Map([...new Set(batch)].map((text, place) => [text, place]));
    const { features, truncated } = await encoder.texts([...places.keys()]);
    const found = rows(features.data, places.size);
    // Copies: a view of one row would keep all of its batch.
    return batch.map((text) => ({
      row: found[places.get(text)!]!.slice(),
      truncated: truncated.includes(places.get(text)!),
    }));
  });
  const [height = 0, width = height] = [encoder.model.preprocess.size].flat();
  const size = 3 * height * width;
  // One batch runs at a time. A thread that encodes it would get a copy of memory that is not shared.
  const pixels = new Float32Array(new SharedArrayBuffer(4 * pictures * size));
  const pictureBatches = new Batches(pictures, async (batch: readonly Float32Array[]) => {
    for (const [i, row] of batch.entries()) pixels.set(row, i * size);
    const given = f32([batch.length, 3, height, width], pixels.subarray(0, batch.length * size));
    return rows((await encoder.images(given)).data, batch.length);
  });
  const dim = encoder.model.config.embedDim;
  const known = new Map<string, TextRow>();
  const textRow = async (text: string, asker: Asker): Promise<TextRow> => {
    const row = known.get(text) ?? (await textBatches.add(text, asker));
    if (text.length > longest) return row;
    // A map keeps the order of insertion: the first is the one that was not asked for the longest.
    known.delete(text);
    known.set(text, row);
    if (known.size > remembered) known.delete(known.keys().next().value!);
    return row;
  };

  /** Of one request, which reads its texts for several purposes at the same time. */
  const textRows = (asker: Asker): ((text: string) => Promise<TextRow>) => {
    const under = new Map<string, Promise<TextRow>>();
    return (text) => {
      const row = under.get(text) ?? textRow(text, asker).finally(() => under.delete(text));
      under.set(text, row);
      return row;
    };
  };

  return {
    waiting: {
      get texts() {
        return textBatches.waiting;
      },
      get pictures() {
        return pictureBatches.waiting;
      },
    },
    for(asker) {
      const row = textRows(asker);
      return {
        ...encoder,
        async texts(given) {
          const found = await Promise.all(given.map(row));
          const features = f32([given.length, dim], joined(found.map(({ row }) => row)));
          return { features, truncated: found.flatMap(({ truncated }, i) => (truncated ? [i] : [])) };
        },
        async images(given) {
          const [count = 0] = given.shape;
          const found = await Promise.all(
            rows(given.data as Float32Array, count).map((row) => pictureBatches.add(row, asker)),
          );
          return f32([count, dim], joined(found));
        },
      };
    },
  };
}

/** @param data [count, width] @returns its rows, views of it */
function rows(data: Float32Array, count: number): Float32Array[] {
  const width = count === 0 ? 0 : data.length / count;
  return Array.from({ length: count }, (_, i) => data.subarray(i * width, (i + 1) * width));
}

function joined(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
