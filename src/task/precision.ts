import type { Encoder } from "../model/index.js";
import { dotProducts } from "../score/index.js";
import { f32, type Tensor } from "../tensor/index.js";

export interface Cosines {
  readonly mean: number;
  readonly worst: number;
}

/** What an encoder made during a piece of work, and the first of what it was given. */
export interface Recorded {
  /** Unit rows in the order in which they were asked for. */
  readonly pictures: Float32Array[];
  readonly texts: Float32Array[];
  readonly firstPictures: Tensor<"float32">;
  readonly firstTexts: readonly string[];
}

/** Enough to fill the towers' matrix products. */
const [timedPictures, timedTexts] = [16, 128];

/** An encoder that records what it is used for. */
export function recording(encoder: Encoder): { encoder: Encoder; record: Recorded } {
  const record = {
    pictures: [] as Float32Array[],
    texts: [] as Float32Array[],
    firstPictures: f32([0], new Float32Array()),
    firstTexts: [] as readonly string[],
  };
  return {
    record,
    encoder: {
      ...encoder,
      async images(pixels) {
        if (record.pictures.length === 0) record.firstPictures = firstRows(pixels, timedPictures);
        const features = await encoder.images(pixels);
        record.pictures.push(...rowsOf(features));
        return features;
      },
      async texts(texts) {
        if (record.texts.length < timedTexts)
          record.firstTexts = [...record.firstTexts, ...texts].slice(0, timedTexts);
        const encoded = await encoder.texts(texts);
        record.texts.push(...rowsOf(encoded.features));
        return encoded;
      },
    },
  };
}

function firstRows({ shape, data }: Tensor, most: number): Tensor<"float32"> {
  const [rows = 0, ...rest] = shape;
  const count = Math.min(rows, most);
  return f32([count, ...rest], (data as Float32Array).slice(0, (count * data.length) / rows));
}

/** Copies: views of one row each would keep all of its batch. */
const rowsOf = ({ shape: [count = 0, dim = 0], data }: Tensor<"float32">): Float32Array[] =>
  Array.from({ length: count }, (_, i) => data.slice(i * dim, (i + 1) * dim));

/** Cosines between rows of length 1 that belong together. */
export function cosinesOf(a: readonly Float32Array[], b: readonly Float32Array[]): Cosines {
  const cosines = a.map((row, i) => cosine(row, b[i]!));
  return {
    mean: cosines.reduce((sum, value) => sum + value, 0) / cosines.length,
    worst: cosines.reduce((least, value) => Math.min(least, value), 1),
  };
}

const cosine = (a: Float32Array, b: Float32Array): number =>
  dotProducts(f32([1, a.length], a), f32([1, b.length], b))[0]!;

const rounds = 5;

/** CPU time of the towers for what was recorded first, ms each: the least of some rounds. */
export async function cpuMsOf(
  encoder: Encoder,
  { firstPictures, firstTexts }: Recorded,
): Promise<{ pictures: number; texts: number }> {
  const pictures = await least(() => encoder.images(firstPictures));
  const texts = await least(() => encoder.texts(firstTexts));
  return { pictures: pictures / firstPictures.shape[0]!, texts: texts / firstTexts.length };
}

async function least(work: () => Promise<unknown>): Promise<number> {
  let ms = Infinity;
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    ms = Math.min(ms, (user + system) / 1000);
  }
  return ms;
}
