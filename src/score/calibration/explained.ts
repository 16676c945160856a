import { CliptError, f32, type Tensor } from "../../tensor/index.js";
import { holdTensor } from "../held-rows.js";

/**
 * How much better a text explains pictures than other texts do: the picture's cosine with the text, less a soft maximum of its
 * cosines with reference texts. A cosine alone is high for some pictures whatever the text; this is not.
 */
export interface Explainer {
  /** One margin for each picture, from its cosine with the text and its row. */
  margins(text: TextWeights, cosines: ArrayLike<number>, rows: readonly PictureRow[]): Float64Array;
  /** Reference texts that say nearly the same as the text don't count against it. @param text [dim], length 1 */
  weigh(text: Float32Array): TextWeights;
  /** Where the text lies among the reference texts. @param text [dim], length 1 */
  place(text: Float32Array): Place;
  /** What the reference texts say of pictures. @param pictures [n, dim] */
  read(pictures: Tensor<"float32">): PictureRow[];
}

/** A word for several of the reference texts: a dog is no rival of what looks for "animals". */
export interface Kind {
  /** Of its names, [names, dim], rows of length 1. */
  readonly names: Tensor<"float32">;
  /** Places of the reference texts that are of this kind. */
  readonly members: readonly number[];
}

/** How much each reference text counts against a text, 0 to 1. */
export type TextWeights = Float32Array & { readonly brand: "weights" };
/** As if what does not count against one of two texts did not count against the other. */
export const lighter = (a: TextWeights, b: TextWeights): TextWeights =>
  a.map((weight, i) => Math.min(weight, b[i]!)) as TextWeights;
/** How many reference texts don't count against a text. */
export const agreeing = (text: TextWeights): number => text.reduce((sum, weight) => sum + 1 - weight, 0);

/** Cosines of a text with the reference texts. A text far from all, or near to many, has lower cosines with pictures of it. */
export interface Place {
  /** Mean of the five highest. */
  readonly nearest: number;
  /** Mean of all. */
  readonly mean: number;
}

/** exp(sharpness · (cosine − 1)) of each reference text with a picture. */
export type PictureRow = Float32Array & { readonly brand: "picture" };

/** Where the soft maximum lies between the mean and the maximum; chosen by log loss among 10, 20, 30 and 40. */
const sharpness = 20;
/** Cosines of texts: up to the first they are rivals, from the second they mean the same. */
const rivals = { from: 0.75, to: 0.9 };
/** Cosines of a text and a kind's name, from which its members begin to be no rivals, and are none. */
const kinds = { from: 0.7, to: 0.8 };
/** How much nearer the name must be than the nearest member: "Egyptian cat" is nearer to a cat of the list than to "cat". */
const nearer = { from: -0.05, to: 0.05 };
/** A picture of which no reference text says anything. */
const least = 1e-9;

/**
 * @param reference [texts, dim], rows of length 1
 * @param known     a text that means a kind is not held against its members: "dog" is worse than "beagle" for every beagle
 * @throws          `shape` on use, when widths differ
 */
export function explainer(reference: Tensor<"float32">, known: readonly Kind[] = []): Explainer {
  const count = reference.shape[0] ?? 0;
  if (count === 0) throw new CliptError("input", "There are no reference texts.");
  const held = holdTensor(stacked([reference, ...known.map(({ names }) => names)]));
  const weighed = new WeakMap<Float32Array, TextWeights>();
  let last: { readonly text: Float32Array; readonly cosines: Float32Array } | undefined;
  /** A query is weighed and placed at once. */
  const cosinesOf = (text: Float32Array): Float32Array => {
    if (last?.text === text) return last.cosines;
    const cosines = new Float32Array(held.count);
    held.compare([text], (_, first, some) => cosines.set(some, first));
    last = { text, cosines };
    return cosines;
  };
  return {
    weigh(text) {
      const weights = weighed.get(text) ?? weigh(cosinesOf(text), count, known);
      weighed.set(text, weights);
      return weights;
    },
    place(text) {
      const cosines = cosinesOf(text).subarray(0, count);
      return { nearest: mean(highest(cosines, 5)), mean: mean(cosines) };
    },
    read(pictures) {
      const [n = 0, width = 0] = pictures.shape;
      const vectors = Array.from({ length: n }, (_, i) => pictures.data.subarray(i * width, (i + 1) * width));
      const rows = vectors.map(() => new Float32Array(count) as PictureRow);
      const fill = (picture: number, first: number, cosines: Float32Array): void => {
        const row = rows[picture]!;
        for (let i = 0; i < cosines.length; i++) row[first + i] = Math.exp(sharpness * (cosines[i]! - 1));
      };
      held.compare(vectors, fill, 0, count);
      return rows;
    },
    margins: (text, cosines, rows) =>
      Float64Array.from(rows, (row, i) => cosines[i]! - 1 - Math.log(least + product(row, text)) / sharpness),
  };
}

/** Four sums that do not wait for each other. */
function product(a: Float32Array, b: Float32Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 4 <= a.length; i += 4) {
    s0 += a[i]! * b[i]!;
    s1 += a[i + 1]! * b[i + 1]!;
    s2 += a[i + 2]! * b[i + 2]!;
    s3 += a[i + 3]! * b[i + 3]!;
  }
  for (; i < a.length; i++) s0 += a[i]! * b[i]!;
  return s0 + s1 + s2 + s3;
}

/** Without sorting them all. */
function highest(values: Float32Array, count: number): Float32Array {
  const best = values.slice(0, count).sort();
  for (let i = best.length; i < values.length; i++) {
    if (values[i]! <= best[0]!) continue;
    best[0] = values[i]!;
    best.sort();
  }
  return best;
}

const mean = (values: Float32Array): number => values.reduce((a, b) => a + b, 0) / values.length;

/** @param cosines of a text with the reference texts, `count` of them, and with the names of the kinds */
function weigh(cosines: Float32Array, count: number, known: readonly Kind[]): TextWeights {
  const weights = cosines.slice(0, count).map((cosine) => 1 - ramp(cosine, rivals)) as TextWeights;
  let next = count;
  for (const { names, members } of known) {
    const end = next + (names.shape[0] ?? 0);
    let name = -1;
    for (; next < end; next++) name = Math.max(name, cosines[next]!);
    const member = members.reduce((most, place) => Math.max(most, cosines[place]!), -1);
    const left = 1 - ramp(name, kinds) * ramp(name - member, nearer);
    if (left < 1) for (const place of members) weights[place] = Math.min(weights[place]!, left);
  }
  return weights;
}

/** 0 up to `from`, 1 from `to`. */
export const ramp = (x: number, { from, to }: { from: number; to: number }): number =>
  Math.min(1, Math.max(0, (x - from) / (to - from)));

/** All rows, one list after another. */
function stacked(lists: readonly Tensor<"float32">[]): Tensor<"float32"> {
  const data = new Float32Array(lists.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  for (const list of lists) {
    data.set(list.data, at);
    at += list.data.length;
  }
  const width = lists[0]?.shape[1] ?? 0;
  return f32([data.length / width, width], data);
}
