import {
  drawChoices,
  holdsTruth,
  noneProbability,
  reliability,
  type Explainer,
  type Known,
} from "../../src/score/index.js";
import { random } from "../../src/tensor/index.js";
import { short, type JudgeOf } from "./judge.js";

/** None of these labels: lists of one kind; half of the pictures show none of them. @param scale the model's, of its softmax */
export function labelTable(
  known: Known,
  explain: Explainer,
  scale: number,
  judgeOf: JudgeOf,
): Record<string, unknown> {
  const names = known.queries.filter(({ kind }) => kind.endsWith("names"));
  return Object.fromEntries(
    [5, 20, 100].map((length) => {
      const [none, softmax, cosine, t]: [number[], number[], number[], boolean[]] = [[], [], [], []];
      for (const choice of drawChoices(
        known.pictures,
        names,
        2000,
        () => length,
        explain,
        random(["labels", length]),
      )) {
        const { calibration } = judgeOf({ ...choice.queries[0]!, thing: choice.truth });
        none.push(noneProbability(calibration, choice.cosines, choice.margins));
        const largest = Math.max(...choice.cosines);
        cosine.push(-largest);
        softmax.push(1 - 1 / choice.cosines.reduce((sum, c) => sum + Math.exp(scale * (c - largest)), 0));
        t.push(!holdsTruth(choice));
      }
      const { auc, ece, brier, missesAt5 } = reliability(none, t);
      return [
        `${length} labels`,
        short({
          auc,
          ece,
          brier,
          missesAt5,
          aucOfLowBestCosine: reliability(cosine, t).auc,
          aucOfSoftmax: reliability(softmax, t).auc,
          eceOfSoftmax: reliability(softmax, t).ece,
        }),
      ];
    }),
  );
}
