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
