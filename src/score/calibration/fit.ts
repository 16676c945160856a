import { random, shuffle, type Random } from "../../tensor/index.js";
import type { Calibration } from "./calibration.js";
import {
  drawCollection,
  drawLabels,
  searchAll,
  type Example,
  type Labelled,
  type LabelledQuery,
} from "./collections.js";
import type { Explainer } from "./explained.js";
import { anyLabelFeatures, hitFeatures, pairFeatures, presenceFeatures } from "./features.js";
import { fitLogistic, logitOf } from "./logistic.js";

/** Pictures with labels, and queries for these labels. */
export interface Known {
  readonly pictures: Labelled;
  readonly queries: readonly LabelledQuery[];
  /** Whether pictures of other labels surely don't match: a caption often fits several photographs. */
  readonly exclusive: boolean;
}

/** A picture and a text, and whether they belong together. */
export interface Pair {
  readonly query: LabelledQuery;
  readonly cosine: number;
  readonly margin: number;
  readonly matches: boolean;
  /** The cosine of a search, without sentences around a name: what calibration is compared with. */
  readonly searched: number;
}

/** A picture and a list of labels, one of which it shows or none. */
export interface Choice {
  readonly queries: readonly LabelledQuery[];
  readonly cosines: readonly number[];
  readonly margins: ArrayLike<number>;
  /** The label of the picture; none of the queries' when it shows none of them. */
  readonly truth: number;
}

export interface Practice {
  readonly examples: readonly Example[];
  /** Those that tell whether anything matches: of labels that exclude each other, where there are any. */
  readonly telling: readonly Example[];
  readonly pairs: readonly Pair[];
  readonly choices: readonly Choice[];
}

/** Collections that are drawn from each set of pictures. */
const draws = 60;
/** Pictures of one label. */
const mostPictures = 20;
/** Pictures of other sets that are mixed into a collection. */
const mixedIn = [0, 0, 10, 100, 500];
/** Lists of labels that are drawn from each set. */
const lists = 1000;
/** Labels of the longest. */
const longest = 50;
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
  const telling: Example[] = [];
  const pairs: Pair[] = [];
  const choices: Choice[] = [];
  for (const [s, { pictures, queries, exclusive }] of sets.entries()) {
    const rng = random([seed, s]);
    const asked = queries.filter(allowed);
    const labels = [...new Set(pictures.labels)].filter((label) => label >= 0);
    const sizes = Array.from(grouped(pictures.labels, (label) => label).values(), ({ length }) => length);
    const most = Math.min(mostPictures, Math.max(...sizes));
    const others = sets.filter((_, i) => i !== s)[0]?.pictures;
    const found: Example[] = [];
    for (let draw = 0; draw < draws; draw++) {
      const [share, perLabel] =
        draw % 3 === 0 ? [between(0.3, 0.7, rng), most] : [between(0.02, 0.7, rng), between(1, most, rng)];
      const collection = drawCollection(
        pictures,
        {
          labels: drawLabels(labels, Math.max(1, Math.round(share * labels.length)), rng),
          perLabel: Math.round(perLabel),
          ...(others === undefined
            ? {}
            : { others: { from: others, count: mixedIn[rng.int(mixedIn.length)]! } }),
        },
        rng,
      );
      found.push(...searchAll(collection, balanced(asked, collection, rng), explain));
    }
    examples.push(...found);
    if (exclusive || !sets.some((set) => set.exclusive)) telling.push(...found);
    pairs.push(...drawPairs(pictures, asked, explain, rng));
    choices.push(...drawChoices(pictures, asked, lists, () => drawLength(rng), explain, rng));
  }
  return { examples, telling, pairs, choices };
}

/** Of any order of magnitude: small ones are as likely as large ones. */
const between = (least: number, most: number, rng: Random): number => least * (most / least) ** rng.next();

/** Short lists are as likely as long ones. */
const drawLength = (rng: Random): number => Math.round(between(1, longest, rng));

/** Pictures, half of them with lists of labels that hold theirs. */
export function drawChoices(
  pictures: Labelled,
  queries: readonly LabelledQuery[],
  count: number,
  length: () => number,
  explain: Explainer,
  rng: Random,
): Choice[] {
  const kinds = Array.from(grouped(queries, ({ kind }) => kind).values(), (list) => [
    ...grouped(list, ({ label }) => label).entries(),
  ]);
  return Array.from({ length: count }, (_, i) => {
    const kind = kinds[rng.int(kinds.length)]!;
    const labels = shuffle([...kind], rng).slice(0, Math.min(length(), kind.length - 1));
    const list = labels.map(([, texts]) => texts[rng.int(texts.length)]!);
    const there = new Set(labels.map(([label]) => label));
    // Half of the pictures show a label of the list; the others any other label of the kind's.
    const fitting = pictures.labels.flatMap((label, p) => (there.has(label) === (i % 2 === 0) ? [p] : []));
    const picture = fitting[rng.int(fitting.length)]!;
    const cosines = list.map((query) => cosineOf(pictures, picture, query.evidence));
    const row = pictures.rows[picture]!;
    const margins = list.map(
      ({ evidence }, q) => explain.margins(explain.weigh(evidence), [cosines[q]!], [row])[0]!,
    );
    return { queries: list, cosines, margins, truth: pictures.labels[picture]! };
  });
}

function cosineOf({ vectors: { data } }: Labelled, picture: number, text: Float32Array): number {
  let sum = 0;
  for (let j = 0; j < text.length; j++) sum += data[picture * text.length + j]! * text[j]!;
  return sum;
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
  return queries.flatMap((query) => {
    const own = byLabel.get(query.label);
    if (own === undefined || own.length === pictures.labels.length) return [];
    let other = rng.int(pictures.labels.length);
    while (pictures.labels[other] === query.label) other = rng.int(pictures.labels.length);
    const indices = [own[rng.int(own.length)]!, other];
    const cosines = indices.map((i) => cosineOf(pictures, i, query.evidence));
    const margins = explain.margins(
      explain.weigh(query.evidence),
      cosines,
      indices.map((i) => pictures.rows[i]!),
    );
    return indices.map((picture, i) => ({
      query,
      cosine: cosines[i]!,
      margin: margins[i]!,
      matches: i === 0,
      searched: cosineOf(pictures, picture, query.search),
    }));
  });
}

/** Fits the calibration of a model to practice. */
export function fitCalibration(
  { examples, telling, pairs, choices }: Practice,
  model: Pick<Calibration, "identity" | "reference">,
): Calibration {
  const present = fitLogistic(
    telling.map((example) => presenceFeatures(example.evidence)),
    telling.map((example) => example.present),
    { l2: 3 },
  );
  const hits = examples.flatMap(({ evidence: nearest, matches }) => {
    const anything = logitOf(present, presenceFeatures(nearest));
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
    label: fitLogistic(
      choices.map(({ cosines, margins }) => anyLabelFeatures(cosines, margins)),
      choices.map(holdsTruth),
    ),
  };
}

export const holdsTruth = ({ queries, truth }: Choice): boolean =>
  queries.some(({ label }) => label === truth);

/** Queries of which half look for what is there; every kind is drawn equally often. */
function balanced(queries: readonly LabelledQuery[], { labels }: Labelled, rng: Random): LabelledQuery[] {
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
const asked = 160;

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
