import {
  fitCalibration,
  hitProbabilities,
  holdsTruth,
  noneProbability,
  pairProbability,
  presence,
  reliability,
  type Calibration,
  type Practice,
  type Reliability,
} from "../../score/index.js";
import { random, shuffle } from "../../tensor/index.js";

const folds = 5;

export type Quality = Pick<Reliability, "ece" | "brier" | "logLoss" | "auc"> & { readonly examples: number };

/** Probabilities that were said, and what was true. */
class Said {
  readonly #p: number[] = [];
  readonly #truths: boolean[] = [];

  add(p: number, truth: boolean | undefined): void {
    if (truth === undefined) return;
    this.#p.push(p);
    this.#truths.push(truth);
  }

  quality(): Quality | undefined {
    if (this.#p.length === 0) return undefined;
    const { count: examples, ece, brier, logLoss, auc } = reliability(this.#p, this.#truths);
    return { examples, ece, brier, logLoss, auc };
  }
}

/** How good probabilities are for things that their calibration has not seen. */
export function crossValidate(
  practice: Practice,
  model: Pick<Calibration, "identity" | "reference">,
): { present: Quality; results: Quality; pairs: Quality; labels?: Quality } {
  const things = [...new Set([...practice.examples, ...practice.pairs].map(({ query }) => query.thing))];
  const foldOf = new Map(shuffle(things, random("folds")).map((thing, i) => [thing, i % folds]));
  const said = { present: new Said(), results: new Said(), pairs: new Said(), labels: new Said() };
  for (let fold = 0; fold < folds; fold++) {
    const inFold = ({ query }: { query: { thing: number } }): boolean => foldOf.get(query.thing) === fold;
    const fitted = fitCalibration(
      {
        examples: practice.examples.filter((example) => !inFold(example)),
        pairs: practice.pairs.filter((pair) => !inFold(pair)),
        choices: practice.choices.filter(({ truth }) => foldOf.get(truth) !== fold),
      },
      model,
    );
    for (const example of practice.examples.filter(inFold)) {
      said.present.add(presence(fitted, example.evidence), example.present);
      const probabilities = hitProbabilities(fitted, example.evidence).slice(0, 10);
      for (const [i, p] of probabilities.entries()) said.results.add(p, example.matches[i]);
    }
    for (const { query, cosine, margin, matches } of practice.pairs.filter(inFold))
      said.pairs.add(pairProbability(fitted, query.traits, cosine, margin), matches);
    for (const choice of practice.choices.filter(({ truth }) => foldOf.get(truth) === fold))
      said.labels.add(noneProbability(fitted, choice.cosines, choice.margins), !holdsTruth(choice));
  }
  const labels = said.labels.quality();
  return {
    present: said.present.quality()!,
    results: said.results.quality()!,
    pairs: said.pairs.quality()!,
    ...(labels && { labels }),
  };
}
