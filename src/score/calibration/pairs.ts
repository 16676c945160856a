import type { Random } from "../../tensor/index.js";
import type { Explainer } from "./explained.js";
import type { KnownQuery, Pictures } from "./known.js";

/** A picture and a text, and whether they belong together. */
export interface Pair {
  readonly query: KnownQuery;
  readonly cosine: number;
  readonly margin: number;
  readonly matches: boolean;
  /** The cosine of a search, without sentences around a name: what calibration is compared with. */
  readonly searched: number;
}

/** One matching and one other picture for each query. @param among places of the pictures that take part */
export function drawPairs(
  pictures: Pictures,
  among: readonly number[],
  queries: readonly KnownQuery[],
  explain: Explainer,
  rng: Random,
): Pair[] {
  return queries.flatMap((query) => {
    const right = among.filter((i) => query.truth[i] === 1);
    const wrong = among.filter((i) => query.truth[i] === 0);
    if (right.length === 0 || wrong.length === 0) return [];
    const pair = [right[rng.int(right.length)]!, wrong[rng.int(wrong.length)]!];
    const cosines = pair.map((i) => cosineOf(pictures, i, query.evidence));
    const margins = explain.margins(
      explain.weigh(query.evidence),
      cosines,
      pair.map((i) => pictures.rows[i]!),
    );
    return pair.map((picture, i) => ({
      query,
      cosine: cosines[i]!,
      margin: margins[i]!,
      matches: i === 0,
      searched: cosineOf(pictures, picture, query.search),
    }));
  });
}

export function cosineOf({ vectors: { data } }: Pictures, picture: number, text: Float32Array): number {
  let sum = 0;
  for (let j = 0; j < text.length; j++) sum += data[picture * text.length + j]! * text[j]!;
  return sum;
}
