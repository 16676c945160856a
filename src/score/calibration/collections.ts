import { CliptError, f32, shuffle, type Random, type Tensor } from "../../tensor/index.js";
import { dotProducts, topK } from "../top-k.js";
import type { Explainer, PictureRow } from "./explained.js";
import { depth, type Evidence } from "./features.js";

/** Pictures of which it is known what they show. */
export interface Labelled {
  /** [n, dim], rows of length 1 */
  readonly vectors: Tensor<"float32">;
  /** What `Explainer.read` says of them. */
  readonly rows: readonly PictureRow[];
  /** The label of each; -1: none of the labels. */
  readonly labels: readonly number[];
}

/** A text query of which it is known what it looks for. */
export interface LabelledQuery {
  /** By which the collection is searched, length 1. */
  readonly search: Float32Array;
  /** By which what was found is judged, length 1. */
  readonly evidence: Float32Array;
  readonly label: number;
  /** As `countWords` counts. */
  readonly words: number;
  /** Language and form, for reports: "en names". */
  readonly kind: string;
}

/** What a query finds in a collection, and the truth of it. */
export interface Example {
  readonly query: LabelledQuery;
  readonly evidence: Evidence;
  /** Whether the collection holds a picture of the query's label. */
  readonly present: boolean;
  /** For each picture of the evidence, whether it has the query's label. */
  readonly matches: readonly boolean[];
  /** The same pictures as a search ranks them, by its own cosines, with their truths: what calibration is compared with. */
  readonly searched: readonly { readonly cosine: number; readonly match: boolean }[];
}

/** Searches a collection with each query. */
export function searchAll(
  collection: Labelled,
  queries: readonly LabelledQuery[],
  explain: Explainer,
): Example[] {
  const there = new Set(collection.labels);
  const width = collection.vectors.shape[1] ?? 0;
  const found = topK(stack(queries.map(({ search }) => search)), collection.vectors, depth);
  return queries.map((query, q) => {
    const text = f32([1, width], query.evidence);
    const cosines = dotProducts(
      text,
      pick(
        collection.vectors,
        found[q]!.map(({ index }) => index),
      ),
    );
    const order = found[q]!.map(({ index }, i) => ({ index, cosine: cosines[i]! })).sort(
      (a, b) => b.cosine - a.cosine,
    );
    const sorted = order.map(({ cosine }) => cosine);
    const rows = order.map(({ index }) => collection.rows[index]!);
    return {
      query,
      evidence: {
        cosines: sorted,
        margins: explain.margins(explain.weigh(query.evidence), sorted, rows),
        size: collection.labels.length,
        words: query.words,
      },
      present: there.has(query.label),
      matches: order.map(({ index }) => collection.labels[index] === query.label),
      searched: found[q]!.map(({ index, score: cosine }) => ({
        cosine,
        match: collection.labels[index] === query.label,
      })),
    };
  });
}

export interface Draw {
  /** Labels whose pictures are in the collection. */
  readonly labels: ReadonlySet<number>;
  /** Pictures of each label at most. */
  readonly perLabel: number;
  /** Pictures that show none of the labels. */
  readonly others?: { readonly from: Labelled; readonly count: number };
}

/** A collection drawn at random from pictures. */
export function drawCollection(from: Labelled, { labels, perLabel, others }: Draw, rng: Random): Labelled {
  const taken = new Map<number, number>();
  const chosen = shuffle(
    from.labels.map((_, i) => i),
    rng,
  ).filter((i) => {
    const label = from.labels[i]!;
    const count = taken.get(label) ?? 0;
    if (!labels.has(label) || count >= perLabel) return false;
    taken.set(label, count + 1);
    return true;
  });
  const own = subset(from, chosen);
  if (others === undefined || others.count === 0) return own;
  const indices = shuffle(
    others.from.labels.map((_, i) => i),
    rng,
  ).slice(0, others.count);
  return join(own, { ...subset(others.from, indices), labels: indices.map(() => -1) });
}

/** As many labels of `all`, drawn at random. */
export const drawLabels = (all: readonly number[], count: number, rng: Random): Set<number> =>
  new Set(shuffle([...all], rng).slice(0, count));

const subset = ({ vectors, rows, labels }: Labelled, indices: readonly number[]): Labelled => ({
  vectors: pick(vectors, indices),
  rows: indices.map((i) => rows[i]!),
  labels: indices.map((i) => labels[i]!),
});

function join(a: Labelled, b: Labelled): Labelled {
  const [width = 0] = [a.vectors.shape[1]];
  if (width !== b.vectors.shape[1])
    throw new CliptError("shape", `Pictures of ${width} and ${b.vectors.shape[1]} numbers cannot be mixed.`);
  const data = new Float32Array(a.vectors.data.length + b.vectors.data.length);
  data.set(a.vectors.data);
  data.set(b.vectors.data, a.vectors.data.length);
  const labels = [...a.labels, ...b.labels];
  return { vectors: f32([labels.length, width], data), rows: [...a.rows, ...b.rows], labels };
}

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
