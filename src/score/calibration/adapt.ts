import type { Calibration, Change } from "./calibration.js";
import { leastLoss } from "./logistic.js";

/** What the user of a collection said of one thing, and the sum before the sigmoid by the model's own calibration. */
export interface Mark {
  readonly logit: number;
  readonly yes: boolean;
}

/**
 * How far marks are expected to move a calibration: standard deviations before any mark. Few marks move it little; many move
 * it wherever they say.
 */
const expected = { factor: 0.3, shift: 1 };

/** The likeliest change, given the marks: logistic regression with a prior around no change. */
export function changeBy(marks: readonly Mark[]): Change {
  const [factor, shift] = leastLoss(
    marks.map(({ logit }) => Float64Array.of(logit, 1)),
    marks.map(({ yes }) => yes),
    {
      pulls: Float64Array.of(1 / expected.factor ** 2, 1 / expected.shift ** 2),
      offsets: marks.map(({ logit }) => logit),
    },
  );
  // A better result never gets a lower probability.
  return { factor: Math.max(0, 1 + factor!), shift: shift! };
}

/**
 * A model's calibration as the marks of one collection change it.
 *
 * @param marks.results of pictures that were found: whether they are what was meant
 * @param marks.queries of queries: whether anything that was found is
 */
export function adapt(
  calibration: Calibration,
  marks: { readonly results: readonly Mark[]; readonly queries: readonly Mark[] },
): Calibration {
  return {
    ...calibration,
    adapted: { present: changeBy(marks.queries), hit: changeBy(marks.results), marks: marks.results.length },
  };
}
