import { f32, shuffle, type Random, type Tensor } from "../../tensor/index.js";
import { dotProducts, topK } from "../top-k.js";
import type { Explainer } from "./explained.js";
import { depth, type Evidence } from "./features.js";
import { isThere, matchOf, type KnownQuery, type Pictures } from "./known.js";

/** What a query finds in a collection, and the truth of it. */
export interface Example {
  readonly query: KnownQuery;
  readonly evidence: Evidence;
  /** Whether the collection holds what the query looks for; undefined where nobody says. */
  readonly present: boolean | undefined;
  /** For each picture of the evidence, whether it shows that. */
  readonly matches: readonly (boolean | undefined)[];
  /** The same pictures as a search ranks them, by its own cosines: what calibration is compared with. */
  readonly searched: readonly { readonly cosine: number; readonly match: boolean | undefined }[];
}

/** Searches a collection with each query. @param collection places of its pictures */
export function searchAll(
  { vectors, rows }: Pictures,
  collection: readonly number[],
  queries: readonly KnownQuery[],
  explain: Explainer,
): Example[] {
  const found = topK(stack(queries.map(({ search }) => search)), pick(vectors, collection), depth);
  return queries.map((query, q) => {
    const pictures = found[q]!.map(({ index }) => collection[index]!);
    const cosines = dotProducts(f32([1, query.evidence.length], query.evidence), pick(vectors, pictures));
    const order = pictures
      .map((picture, i) => ({ picture, cosine: cosines[i]! }))
      .sort((a, b) => b.cosine - a.cosine);
    const sorted = order.map(({ cosine }) => cosine);
    return {
      query,
      evidence: {
        cosines: sorted,
        margins: explain.margins(
          explain.weigh(query.evidence),
          sorted,
          order.map(({ picture }) => rows[picture]!),
        ),
        size: collection.length,
        traits: query.traits,
      },
      present: isThere(query, collection),
      matches: order.map(({ picture }) => matchOf(query, picture)),
      searched: found[q]!.map(({ score: cosine }, i) => ({ cosine, match: matchOf(query, pictures[i]!) })),
    };
  });
}

export interface Draw {
  /** Classes whose pictures are in the collection. */
  readonly classes: ReadonlySet<number>;
  /** Pictures of each class at most. */
  readonly perClass: number;
  /** Pictures without a class. */
  readonly photographs: number;
}

/** Places of the pictures of a collection drawn at random. */
export function drawCollection(
  { classes: classOf }: Pick<Pictures, "classes">,
  { classes, perClass, photographs }: Draw,
  rng: Random,
): number[] {
  const taken = new Map<number, number>();
  return shuffle(
    classOf.map((_, i) => i),
    rng,
  ).filter((i) => {
    const own = classOf[i]!;
    const count = taken.get(own) ?? 0;
    const wanted = own < 0 ? count < photographs : classes.has(own) && count < perClass;
    if (wanted) taken.set(own, count + 1);
    return wanted;
  });
}

/** As many of `all`, drawn at random. */
export const drawSome = (all: readonly number[], count: number, rng: Random): Set<number> =>
  new Set(shuffle([...all], rng).slice(0, count));

function pick({ shape, data }: Tensor<"float32">, indices: readonly number[]): Tensor<"float32"> {
  const width = shape[1] ?? 0;
  const result = new Float32Array(indices.length * width);
  indices.forEach((index, i) => result.set(data.subarray(index * width, (index + 1) * width), i * width));
  return f32([indices.length, width], result);
}

function stack(rows: readonly Float32Array[]): Tensor<"float32"> {
  const width = rows[0]?.length ?? 0;
  const result = new Float32Array(rows.length * width);
  rows.forEach((row, i) => result.set(row, i * width));
  return f32([rows.length, width], result);
}
