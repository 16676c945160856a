import {
  adapt,
  drawCollection,
  drawSome,
  hitLogits,
  hitProbabilities,
  reliability,
  type Known,
} from "../../src/score/index.js";
import { random, shuffle } from "../../src/tensor/index.js";
import { classesOf, placesOf, short, type JudgeOf } from "./judge.js";
import { searchWith } from "./searches.js";

/** Whose marks are averaged. */
const users = 20;
const [markedQueries, marksEach, asked] = [10, 2, 60];

/** What 20 marks add: ten queries of a kind, two results of each marked; measured on other queries to the same collection. */
export function marksTable(known: Known, judgeOf: JudgeOf): Record<string, unknown> {
  const table: Record<string, unknown> = {};
  const { photographs } = placesOf(known);
  for (const kind of new Set(known.queries.map((query) => query.kind))) {
    const rng = random(["marks", kind]);
    const classes = classesOf(known);
    const [before, after] = [new Said(), new Said()];
    for (let user = 0; user < users; user++) {
      const collection = /^.. (names|sentences)$/.test(kind)
        ? drawCollection(
            known.pictures,
            { classes: drawSome(classes, classes.length / 2, rng), perClass: Infinity, photographs: 0 },
            rng,
          )
        : shuffle([...photographs], rng).slice(0, photographs.length / 2);
      const queries = shuffle(
        known.queries.filter((query) => query.kind === kind),
        rng,
      ).slice(0, asked);
      const { calibration } = judgeOf(queries[0]!);
      const examples = searchWith(known, collection, queries, () => judgeOf(queries[0]!));
      const marks = examples.slice(0, markedQueries).flatMap(({ evidence, matches }) =>
        Array.from(hitLogits(calibration, evidence).slice(0, marksEach), (logit, i) => ({
          logit,
          yes: matches[i],
        })).flatMap(({ logit, yes }) => (yes === undefined ? [] : [{ logit, yes }])),
      );
      const adapted = adapt(calibration, { results: marks, queries: [] });
      for (const { evidence, matches } of examples.slice(markedQueries)) {
        before.add(hitProbabilities(calibration, evidence), matches);
        after.add(hitProbabilities(adapted, evidence), matches);
      }
    }
    table[kind] = { before: before.quality(), after: after.quality() };
  }
  return table;
}

/** What was said of the ten best results, and what is known of them. */
class Said {
  readonly #p: number[] = [];
  readonly #truths: boolean[] = [];

  add(probabilities: Float64Array, matches: readonly (boolean | undefined)[]): void {
    for (const [i, p] of probabilities.slice(0, 10).entries()) {
      const match = matches[i];
      if (match === undefined) continue;
      this.#p.push(p);
      this.#truths.push(match);
    }
  }

  quality(): unknown {
    return short(reliability(this.#p, this.#truths));
  }
}
