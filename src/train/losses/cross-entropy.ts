import { logSoftmax, max, mul, neg, div, sum, type Value } from "../../graph/index.js";

/**
 * Cross-entropy between targets and the softmax of logits along an axis, averaged over the distributions that have a
 * target at all.
 *
 * @param logits  [rows, columns]
 * @param targets [rows, columns], ≥ 0; along the axis they sum to 1, or to 0 where there is no target
 * @returns       a scalar of shape [1, 1], nats
 */
export function crossEntropy(logits: Value, targets: Value, axis: number): Value {
  const count = max(sum(targets), 1);
  return div(neg(sum(mul(targets, logSoftmax(logits, axis)))), count);
}
