import { CliptError, f32, type Tensor } from "../../tensor/index.js";
import type { PictureRow } from "./explained.js";
import type { QueryTraits } from "./features.js";

/** Pictures of which it is known what they show. */
export interface Pictures {
  /** [n, dim], rows of length 1 */
  readonly vectors: Tensor<"float32">;
  /** What `Explainer.read` says of them. */
  readonly rows: readonly PictureRow[];
  /** The class of each; -1: a photograph without one. */
  readonly classes: readonly number[];
}

/** For each picture whether a query's thing is seen: 1 surely, 0 surely not, -1 nobody says. */
export type Truth = Int8Array;

/** A text query of which it is known what it looks for. */
export interface KnownQuery {
  /** By which the collection is searched, length 1. */
  readonly search: Float32Array;
  /** By which what was found is judged, length 1. */
  readonly evidence: Float32Array;
  readonly truth: Truth;
  readonly traits: QueryTraits;
  /** Queries of one thing have the same, in all languages; classes their number. */
  readonly thing: number;
  /** Language and form, for reports: "en names". */
  readonly kind: string;
}

export interface Known {
  readonly pictures: Pictures;
  readonly queries: readonly KnownQuery[];
}

/** @throws `shape` for vectors of different lengths */
export function joinPictures(a: Pictures, b: Pictures): Pictures {
  const [width = 0] = [a.vectors.shape[1]];
  if (width !== b.vectors.shape[1])
    throw new CliptError("shape", `Pictures of ${width} and ${b.vectors.shape[1]} numbers cannot be mixed.`);
  const data = new Float32Array(a.vectors.data.length + b.vectors.data.length);
  data.set(a.vectors.data);
  data.set(b.vectors.data, a.vectors.data.length);
  const classes = [...a.classes, ...b.classes];
  return { vectors: f32([classes.length, width], data), rows: [...a.rows, ...b.rows], classes };
}

/** Whether a collection holds what a query looks for; undefined where nobody says. */
export function isThere({ truth }: KnownQuery, collection: readonly number[]): boolean | undefined {
  let unsure = false;
  for (const picture of collection) {
    if (truth[picture] === 1) return true;
    if (truth[picture] === -1) unsure = true;
  }
  return unsure ? undefined : false;
}

/** Whether a collection holds pictures of which nobody says whether they show it. */
export const leavesOpen = ({ truth }: KnownQuery, collection: readonly number[]): boolean =>
  collection.some((picture) => truth[picture] === -1);

export const matchOf = ({ truth }: KnownQuery, picture: number): boolean | undefined =>
  truth[picture] === -1 ? undefined : truth[picture] === 1;
