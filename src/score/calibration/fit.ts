import { random, type Random } from "../../tensor/index.js";
import type { Calibration } from "./calibration.js";
import { drawCollection, drawLabels, searchAll, type Example, type Labelled, type LabelledQuery } from "./collections.js";
import type { Explainer } from "./explained.js";
import { hitFeatures, pairFeatures, presenceFeatures } from "./features.js";
import { fitLogistic, logitOf } from "./logistic.js";

/** Pictures with labels, and queries for these labels. */
export interface Known {
  readonly pictures: Labelled;
  readonly queries: readonly LabelledQuery[];
}

/** A picture and a text, and whether they belong together. */
export interface Pair {
  readonly query: LabelledQuery;
  readonly cosine: number;
  readonly margin: number;
  readonly matches: boolean;
}

export interface Practice {
  readonly examples: readonly Example[];
  readonly pairs: readonly Pair[];
}

/** Collections that are drawn from each set of pictures. */
const draws = 24;
/** Pictures of other sets that are mixed into a collection. */
const mixedIn = [0, 0, 100, 500];
/** Results that a person looks at. */
const looked = 10;

/**
 * Practice for a calibration: searches in collections of many sizes, drawn at random, with queries whose answers are there and
 * queries whose answers are not; and pairs, half of which match.
 *
 * @param allowed queries that may be learned from; the pictures of all labels take part
 */
export function practise(
  sets: readonly Known[],
  explain: Explainer,
  seed: string,
  allowed: (query: LabelledQuery) => boolean = () => true,
): Practice {
  const examples: Example[] = [];
  const pairs: Pair[] = [];
  for (const [s, { pictures, queries }] of sets.entries()) {
    const rng = random([seed, s]);
    const asked = queries.filter(allowed);
    const labels = [...new Set(pictures.labels)].filter((label) => label >= 0);
    const sizes = Array.from(grouped(pictures.labels, (label) => label).values(), ({ length }) => length);
    const most = Math.max(...sizes);
    const others = sets.filter((_, i) => i !== s)[0]?.pictures;
    for (let draw = 0; draw < draws; draw++) {
      // Every other one of any size, small ones as likely as large ones; the rest middling.
      const share =
        draw % 2 === 0 ? 0.3 + 0.4 * rng.next() : Math.exp(Math.log(0.03) + rng.next() * Math.log(0.7 / 0.03));
      const collection = drawCollection(
        pictures,
        {
          labels: drawLabels(labels, Math.max(1, Math.round(share * labels.length)), rng),
          perLabel: 1 + rng.int(Math.min(20, most)),
          ...(others === undefined ? {} : { others: { from: others, count: mixedIn[rng.int(mixedIn.length)]! } }),
        },
        rng,
      );
      examples.push(...searchAll(collection, balanced(asked, collection, rng), explain));
    }
    pairs.push(...drawPairs(pictures, asked, explain, rng));
  }
  return { examples, pairs };
}

/** One matching and one other picture for each query. */
export function drawPairs(
  pictures: Labelled,
  queries: readonly LabelledQuery[],
  explain: Explainer,
  rng: Random,
): Pair[] {
  const byLabel = grouped(
    pictures.labels.map((_, i) => i),
    (i) => pictures.labels[i]!,
  );
  const width = pictures.vectors.shape[1] ?? 0;
  return queries.flatMap((query) => {
    const own = byLabel.get(query.label);
    if (own === undefined || own.length === pictures.labels.length) return [];
    let other = rng.int(pictures.labels.length);
    while (pictures.labels[other] === query.label) other = rng.int(pictures.labels.length);
    const indices = [own[rng.int(own.length)]!, other];
    const cosines = indices.map((i) => {
      let sum = 0;
      for (let j = 0; j < width; j++) sum += pictures.vectors.data[i * width + j]! * query.evidence[j]!;
      return sum;
    });
    const margins = explain.margins(
      explain.weigh(query.evidence),
      cosines,
      indices.map((i) => pictures.rows[i]!),
    );
    return indices.map((_, i) => ({ query, cosine: cosines[i]!, margin: margins[i]!, matches: i === 0 }));
  });
}

/** Fits the calibration of a model to practice. */
export function fitCalibration(
  { examples, pairs }: Practice,
  model: Pick<Calibration, "identity" | "reference">,
): Calibration {
  const evidence = examples.map((example) => presenceFeatures(example.evidence));
  const present = fitLogistic(
    evidence,
    examples.map((example) => example.present),
  );
  const hits = examples.flatMap(({ evidence: nearest, matches }, e) => {
    const anything = logitOf(present, evidence[e]!);
    return matches.slice(0, looked).map((match, i) => ({
      features: hitFeatures(nearest, nearest.cosines[i]!, nearest.margins[i]!, anything),
      match,
    }));
  });
  return {
    version: 1,
    ...model,
    present,
    hit: fitLogistic(
      hits.map(({ features }) => features),
      hits.map(({ match }) => match),
    ),
    pair: fitLogistic(
      pairs.map(({ cosine, margin }) => pairFeatures(cosine, margin)),
      pairs.map(({ matches }) => matches),
    ),
  };
}

/** Queries of which half look for what is there; every kind is drawn equally often. */
function balanced(
  queries: readonly LabelledQuery[],
  { labels }: Labelled,
  rng: Random,
): LabelledQuery[] {
  const there = new Set(labels);
  const draw = (wanted: boolean, count: number): LabelledQuery[] => {
    const fit = queries.filter(({ label }) => there.has(label) === wanted);
    const kinds = [...grouped(fit, ({ kind }) => kind).values()];
    return Array.from({ length: kinds.length === 0 ? 0 : count }, () => {
      const fitting = kinds[rng.int(kinds.length)]!;
      return fitting[rng.int(fitting.length)]!;
    });
  };
  return [...draw(true, asked / 2), ...draw(false, asked / 2)];
}

/** Queries put to each collection. */
const asked = 400;

function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
