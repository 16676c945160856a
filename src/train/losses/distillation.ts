import { div, exp, logSoftmax, mul, sub, sum, type Value } from "../../graph/index.js";

/**
 * How far the softmax of the logits is from a teacher's: Kullback–Leibler divergence, averaged over rows.
 *
 * @param logits  [rows, classes]
 * @param teacher [rows, classes], the teacher's logits; only their differences in a row count
 * @returns       a scalar of shape [1, 1], nats; 0 when the two agree
 * @source        Hinton et al. 2015
 */
export function softTargetLoss(logits: Value, teacher: Value): Value {
  const wanted = logSoftmax(teacher);
  return div(sum(mul(exp(wanted), sub(wanted, logSoftmax(logits)))), logits.shape[0] as number);
}

/**
 * 1 − cosine between features and a teacher's, averaged over rows.
 *
 * @param features [rows, width], unit length
 * @param teacher  [rows, width], unit length
 * @returns        a scalar of shape [1, 1], 0 … 2
 */
export const featureLoss = (features: Value, teacher: Value): Value =>
  sub(1, div(sum(mul(features, teacher)), features.shape[0] as number));
