import { shuffle, type Random } from "../../tensor/index.js";
import type { Explainer } from "./explained.js";
import { grouped } from "./grouped.js";
import type { KnownQuery, Pictures } from "./known.js";
import { cosineOf } from "./pairs.js";

/** A picture and a list of labels, one of which it shows or none. */
export interface Choice {
  readonly queries: readonly KnownQuery[];
  readonly cosines: readonly number[];
  readonly margins: ArrayLike<number>;
  /** What the picture shows; none of the queries' things when it shows none of them. */
  readonly truth: number;
}

export const holdsTruth = ({ queries, truth }: Choice): boolean =>
  queries.some(({ thing }) => thing === truth);

/** Pictures with classes, half of them with lists of labels that hold theirs. @param queries by classes */
export function drawChoices(
  pictures: Pictures,
  queries: readonly KnownQuery[],
  count: number,
  length: () => number,
  explain: Explainer,
  rng: Random,
): Choice[] {
  const kinds = Array.from(grouped(queries, ({ kind }) => kind).values(), (list) => [
    ...grouped(list, ({ thing }) => thing).entries(),
  ]);
  const classed = pictures.classes.flatMap((own, i) => (own < 0 ? [] : [i]));
  if (kinds.length === 0 || classed.length === 0) return [];
  return Array.from({ length: count }, (_, i) => {
    const kind = kinds[rng.int(kinds.length)]!;
    const labels = shuffle([...kind], rng).slice(0, Math.min(length(), kind.length - 1));
    const list = labels.map(([, texts]) => texts[rng.int(texts.length)]!);
    const there = new Set(labels.map(([thing]) => thing));
    // Half of the pictures show a label of the list; the others any other class.
    const fitting = classed.filter((p) => there.has(pictures.classes[p]!) === (i % 2 === 0));
    const picture = fitting[rng.int(fitting.length)]!;
    const cosines = list.map((query) => cosineOf(pictures, picture, query.evidence));
    const row = pictures.rows[picture]!;
    const margins = list.map(
      ({ evidence }, q) => explain.margins(explain.weigh(evidence), [cosines[q]!], [row])[0]!,
    );
    return { queries: list, cosines, margins, truth: pictures.classes[picture]! };
  });
}
