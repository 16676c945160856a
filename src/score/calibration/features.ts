import type { Place } from "./explained.js";

/** What is known of a query and the pictures nearest to it. */
export interface Evidence {
  /** Cosines, best first: the nearest `depth` of the collection, or all when it has fewer. */
  readonly cosines: ArrayLike<number>;
  /** What `Explainer.margins` says of the same pictures. */
  readonly margins: ArrayLike<number>;
  /** Pictures in the collection. */
  readonly size: number;
  readonly traits: QueryTraits;
}

/** What a query is, whatever it finds. */
export interface QueryTraits {
  /** Its length without words that only say that it is a picture, as `countWords` counts. */
  readonly words: number;
  /** How nearly it is an everyday word such as "dog" or "water", 0 to 1; others name particular things. */
  readonly everyday: number;
  /** Where it lies among the reference texts. */
  readonly place: Place;
  /** Reference texts that say the same or something of its kind: few rivals make high margins. */
  readonly agreeing: number;
}

/** How many of the nearest pictures count. */
export const depth = 50;

/** How much more a rise of high margins says than one of low ones; chosen by log loss among 0, 5 and 10. */
const steepness = 5;

/** Of the soft maximum of all margins; chosen by log loss among 8, 15 and 25. */
const sharpness = 15;

/**
 * Features that tell whether any picture matches: the best cosine and margin and the size of the collection, with their products,
 * since one match among few pictures looks unlike ten among many; the best five, all margins, and what the query is like. Products
 * of all fit what was seen better, and what was not seen worse.
 */
export function presenceFeatures({ cosines, margins, size, traits }: Evidence): number[] {
  const best = Float64Array.from(margins).sort().reverse();
  const main = [meanOf(cosines, 1), meanOf(best, 1), Math.log(Math.max(1, size))];
  return [
    ...main,
    ...main.flatMap((a, i) => main.slice(i).map((b) => a * b)),
    meanOf(cosines, 5),
    Math.exp(steepness * meanOf(best, 5)),
    Math.log(best.reduce((sum, margin) => sum + Math.exp(sharpness * margin), 1e-9)) / sharpness,
    Math.log(Math.max(1, traits.words)),
    Math.log1p(traits.agreeing),
    traits.place.nearest,
    traits.place.mean,
  ];
}

/** Words of a text; three signs of a script without spaces between words count as two. */
export function countWords(text: string): number {
  const signs = text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/gu) ?? [];
  const words = text.match(/[\p{L}\p{N}]+/gu) ?? [];
  return signs.length === 0 ? words.length : Math.ceil((2 * signs.length) / 3);
}

/**
 * Features that tell whether one picture matches.
 *
 * @param nearest what the query finds
 * @param present logit of the presence, which says what to expect of the best
 */
export function hitFeatures(nearest: Evidence, cosine: number, margin: number, present: number): number[] {
  // Once for each picture: without a copy.
  let best = -1;
  for (let i = 0; i < nearest.margins.length; i++) best = Math.max(best, nearest.margins[i]!);
  return [
    cosine,
    margin,
    cosine - (nearest.cosines[0] ?? 0),
    margin - best,
    present,
    meanOf(nearest.cosines, 5),
    meanOf(nearest.margins, 5),
  ];
}

/** Features of one picture and one text without a collection. */
export const pairFeatures = (cosine: number, margin: number, { nearest, mean }: Place): number[] => [
  cosine,
  margin,
  nearest,
  mean,
];

/** Features that tell whether any label of a list is seen in a picture. */
export function anyLabelFeatures(cosines: ArrayLike<number>, margins: ArrayLike<number>): number[] {
  const [first = -1, second = first] = Float64Array.from(margins).sort().reverse();
  const cosine = Float64Array.from(cosines).reduce((a, b) => Math.max(a, b), -1);
  return [cosine, first, first - second, Math.log(Math.max(1, cosines.length))];
}

function meanOf(values: ArrayLike<number>, n: number): number {
  const count = Math.min(n, values.length);
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i]!;
  return count === 0 ? -1 : sum / count;
}
