/** What is known of a query and the pictures nearest to it. */
export interface Evidence {
  /** Cosines, best first: the nearest `depth` of the collection, or all when it has fewer. */
  readonly cosines: ArrayLike<number>;
  /** What `Explainer.margins` says of the same pictures. */
  readonly margins: ArrayLike<number>;
  /** Pictures in the collection. */
  readonly size: number;
}

/** How many of the nearest pictures count. */
export const depth = 50;

const tops = [1, 3, 5, 10, 20, 50];

/** Features that tell whether any picture matches. Means of the best n take what there is when there are fewer. */
export function presenceFeatures({ cosines, margins, size }: Evidence): number[] {
  const best = Float64Array.from(margins).sort().reverse();
  return [
    ...tops.map((n) => meanOf(cosines, n)),
    ...tops.map((n) => meanOf(best, n)),
    // Margins of the nearest by cosine: they are lower than the best margins where something else is seen in those.
    meanOf(margins, 1),
    meanOf(margins, 5),
    Math.log(Math.max(1, size)),
  ];
}

/**
 * Features that tell whether one picture matches.
 *
 * @param nearest what the query finds
 * @param present logit of the presence, which says what to expect of the best
 */
export function hitFeatures(nearest: Evidence, cosine: number, margin: number, present: number): number[] {
  const best = Float64Array.from(nearest.margins).reduce((a, b) => Math.max(a, b), -1);
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
export const pairFeatures = (cosine: number, margin: number): number[] => [cosine, margin];

function meanOf(values: ArrayLike<number>, n: number): number {
  const count = Math.min(n, values.length);
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i]!;
  return count === 0 ? -1 : sum / count;
}
