import { CliptError } from "../../tensor/index.js";
import type { Calibration, Heads } from "./calibration.js";
import { holdsTruth } from "./choices.js";
import type { Example } from "./collections.js";
import { anyLabelFeatures, hitFeatures, pairFeatures, presenceFeatures } from "./features.js";
import { grouped } from "./grouped.js";
import type { KnownQuery } from "./known.js";
import { fitLogistic, logitOf } from "./logistic.js";
import type { Practice } from "./practice.js";
import { sorts, type Sort } from "./sorts.js";

/** Results that a person looks at. */
const looked = 10;
/** A thing that is nearly always there, or never, counts no more than this to make it even. */
const mostImportance = 6;

/** What a query is an example of, whatever its text looks like. */
export function sortOf({ kind }: Pick<KnownQuery, "kind">): Sort {
  if (kind.endsWith("captions")) return "sentence";
  return /words|word sentences/.test(kind) ? "word" : "name";
}

/** Fits the calibration of a model to practice. @throws `input` when there is none of any sort */
export function fitCalibration(
  practice: Practice,
  model: Pick<Calibration, "identity" | "reference">,
): Calibration {
  const fitted = new Map<Sort, Heads>();
  for (const sort of sorts) {
    const heads = fitSort(practice, sort);
    if (heads !== undefined) fitted.set(sort, heads);
  }
  const [any] = fitted.values();
  if (any === undefined)
    throw new CliptError("input", "There is nothing to learn from: no query has known answers.");
  // A sort that the data say nothing of is judged as the nearest one.
  const of = (sort: Sort, otherwise: Sort): Heads => fitted.get(sort) ?? fitted.get(otherwise) ?? any;
  return {
    version: 4,
    ...model,
    sorts: { name: of("name", "word"), word: of("word", "name"), sentence: of("sentence", "word") },
    label:
      practice.choices.length === 0
        ? { bias: 0, weights: anyLabelFeatures([0], [0]).map(() => 0) }
        : fitLogistic(
            practice.choices.map(({ cosines, margins }) => anyLabelFeatures(cosines, margins)),
            practice.choices.map(holdsTruth),
          ),
  };
}

function fitSort(practice: Practice, sort: Sort): Heads | undefined {
  const own = practice.examples.filter(({ query }) => sortOf(query) === sort);
  const telling = own.filter(({ present }) => present !== undefined);
  const pairs = practice.pairs.filter(({ query }) => sortOf(query) === sort);
  if (!telling.some(({ present }) => present) || telling.every(({ present }) => present)) return undefined;
  const present = fitLogistic(
    telling.map(({ evidence }) => presenceFeatures(evidence)),
    telling.map((example) => example.present!),
    { l2: 3, importance: importanceOf(telling) },
  );
  const hits = own.flatMap(({ evidence: nearest, matches }) => {
    const anything = logitOf(present, presenceFeatures(nearest));
    return matches
      .slice(0, looked)
      .flatMap((match, i) =>
        match === undefined
          ? []
          : [{ features: hitFeatures(nearest, nearest.cosines[i]!, nearest.margins[i]!, anything), match }],
      );
  });
  return {
    present,
    hit: fitLogistic(
      hits.map(({ features }) => features),
      hits.map(({ match }) => match),
    ),
    pair: fitLogistic(
      pairs.map(({ query, cosine, margin }) => pairFeatures(cosine, margin, query.traits.place)),
      pairs.map(({ matches }) => matches),
    ),
  };
}

/**
 * How much each example counts: half of what is known of a thing is that it is there, so that the fit learns from scores, not
 * that dogs are common; and each kind of query counts the same.
 */
function importanceOf(examples: readonly Example[]): Float64Array {
  const importance = new Float64Array(examples.length);
  const kinds = [...grouped([...examples.keys()], (i) => examples[i]!.query.kind).values()];
  for (const kind of kinds) {
    // Each sentence is a thing of its own.
    const thingOf = (i: number): number =>
      sortOf(examples[i]!.query) === "sentence" ? -1 : examples[i]!.query.thing;
    for (const thing of grouped(kind, thingOf).values()) {
      const here = thing.filter((i) => examples[i]!.present).length;
      for (const i of thing) {
        const same = examples[i]!.present ? here : thing.length - here;
        importance[i] = same === thing.length ? oneSided : Math.min(mostImportance, thing.length / 2 / same);
      }
    }
    const total = kind.reduce((sum, i) => sum + importance[i]!, 0);
    for (const i of kind) importance[i]! *= examples.length / kinds.length / total;
  }
  return importance;
}

/** What is always there, or never, in practice says little of scores. */
const oneSided = 0.3;
