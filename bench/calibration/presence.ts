import {
  hitProbabilities,
  presence,
  reliability,
  sigmoid,
  logitOf,
  type Example,
} from "../../src/score/index.js";
import { flatScore, mean, short, type JudgeOf } from "./judge.js";

/** Best flat scores: means of so many of the nearest cosines. */
const flats = [1, 3, 5, 10];

/** Whether it is here, by kind of query and for all mixed: the means of the collections' areas, and errors over all. */
export function presenceTable(
  collections: readonly (readonly Example[])[],
  judgeOf: JudgeOf,
): Record<string, unknown> {
  const known = collections.map((list) => list.filter(({ present }) => present !== undefined));
  const kinds = [...new Set(known.flat().map(({ query }) => query.kind))].sort();
  const said = (example: Example): number => presence(judgeOf(example.query).calibration, example.evidence);
  return Object.fromEntries(
    [...kinds, "mix"].map((name) => {
      const lists = known.map((list) => list.filter(({ query }) => name === "mix" || query.kind === name));
      const all = lists.flat();
      const truths = all.map(({ present }) => present!);
      const areaOf = (score: (example: Example) => number): number =>
        mean(
          lists
            .map(
              (list) =>
                reliability(
                  list.map(score),
                  list.map(({ present }) => present!),
                ).auc,
            )
            .filter((auc) => !Number.isNaN(auc)),
        );
      const flat = flats.map((n) => areaOf((example) => flatScore(example, n)));
      const best = flat.indexOf(Math.max(...flat));
      const { ece, brier, missesAt5, count } = reliability(all.map(said), truths);
      return [
        name,
        short({
          count,
          here: mean(truths.map(Number)),
          said: mean(all.map(said)),
          auc: areaOf(said),
          bestFlat: flat[best],
          ece,
          brier,
          missesAt5,
          flatMissesAt5: reliability(
            all.map((example) => flatScore(example, flats[best]!)),
            truths,
          ).missesAt5,
        }),
      ];
    }),
  );
}

/** The ten best results of queries, whether or not what they look for is there. */
export function resultsTable(examples: readonly Example[], judgeOf: JudgeOf): Record<string, unknown> {
  const [p, t, flat, flatT]: [number[], boolean[], number[], boolean[]] = [[], [], [], []];
  for (const { query, evidence, matches, searched } of examples) {
    const { calibration, flat: heads } = judgeOf(query);
    const probabilities = hitProbabilities(calibration, evidence).slice(0, 10);
    for (const [i, probability] of probabilities.entries()) {
      if (matches[i] === undefined) continue;
      p.push(probability);
      t.push(matches[i]);
    }
    if (heads === undefined) continue;
    for (const { cosine, match } of searched.slice(0, 10)) {
      if (match === undefined) continue;
      flat.push(sigmoid(logitOf(heads.hit, [cosine])));
      flatT.push(match);
    }
  }
  return {
    calibrated: short(reliability(p, t)),
    ...(flat.length > 0 && { flat: short(reliability(flat, flatT)) }),
  };
}
