import {
  fitLogistic,
  type Calibration,
  type Example,
  type Explainer,
  type Known,
  type KnownQuery,
  type Logistic,
  type Practice,
} from "../../src/score/index.js";

/** By what a query is judged: its own where names are kept out of the fit. */
export interface Judge {
  readonly calibration: Calibration;
  readonly explain: Explainer;
  /** Logistic regressions on the cosine alone: what the calibration is compared with. */
  readonly flat?: Flat;
}

export interface Flat {
  readonly pair: Logistic;
  readonly hit: Logistic;
}

export type JudgeOf = (query: KnownQuery) => Judge;

export function flatHeads({ pairs, examples }: Practice): Flat {
  const hits = examples.flatMap(({ searched }) =>
    searched
      .slice(0, 10)
      .flatMap(({ cosine, match }) => (match === undefined ? [] : [{ x: [cosine], match }])),
  );
  return {
    pair: fitLogistic(
      pairs.map(({ searched }) => [searched]),
      pairs.map(({ matches }) => matches),
    ),
    hit: fitLogistic(
      hits.map(({ x }) => x),
      hits.map(({ match }) => match),
    ),
  };
}

/** Cosines as a plain search has them: of the query itself, without sentences around a name. */
export const flatScore = ({ searched }: Pick<Example, "searched">, n: number): number =>
  mean(searched.slice(0, n).map(({ cosine }) => cosine));

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Numbers for people: four digits. */
export const short = (values: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      typeof value === "number" ? Number(value.toFixed(4)) : value,
    ]),
  );

export const classesOf = ({ pictures }: Known): number[] =>
  [...new Set(pictures.classes)].filter((own) => own >= 0);

/** Places of pictures with a class, and of photographs without. */
export function placesOf({ pictures }: Known): { classed: number[]; photographs: number[] } {
  const places = pictures.classes.map((_, i) => i);
  return {
    classed: places.filter((i) => pictures.classes[i]! >= 0),
    photographs: places.filter((i) => pictures.classes[i]! < 0),
  };
}
