import type { Encoder } from "../../model/index.js";
import { labelProbabilities, noneProbability } from "../../score/index.js";
import type { Tensor } from "../../tensor/index.js";
import { rowsOf } from "../embeddings/embeddings.js";
import type { Context } from "../task.js";
import { judgeOf } from "./judged-by.js";
import { openCalibration } from "./open-calibration.js";

/** What a list of labels is worth for one picture. */
export interface Assessment {
  /** That none of the labels is seen. */
  readonly none: number;
  /** That each label is seen, whatever the others are. */
  readonly labels: Float64Array;
}

/**
 * Judges labels for pictures; undefined where the model has no calibration.
 *
 * @param head [labels, dim], rows of length 1
 * @returns    a function of a picture, [1, dim], and its cosines with the labels
 */
export async function labelAssessor(
  head: Tensor<"float32">,
  encoder: Encoder,
  context: Context,
): Promise<((picture: Tensor<"float32">, cosines: Float64Array) => Assessment) | undefined> {
  const calibration = await openCalibration(encoder.model);
  if (calibration === undefined) return undefined;
  const { explain } = await judgeOf(encoder, context);
  const labels = rowsOf(head);
  const weights = labels.map((label) => explain.weigh(label));
  const places = labels.map((label) => explain.place(label));
  return (picture, cosines) => {
    const rows = explain.read(picture);
    const margins = Float64Array.from(weights, (label, i) => explain.margins(label, [cosines[i]!], rows)[0]!);
    return {
      none: noneProbability(calibration, cosines, margins),
      labels: labelProbabilities(calibration, cosines, margins, places),
    };
  };
}
