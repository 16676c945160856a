import { add, mul, oneHot, type Value } from "../../graph/index.js";
import { crossEntropy } from "./cross-entropy.js";

/**
 * Cross-entropy of class logits with label smoothing: the label keeps 1 − smoothing, and all classes share the rest.
 *
 * @param logits    [pictures, classes]
 * @param labels    [pictures] int64
 * @param smoothing 0 … 1
 * @returns         a scalar of shape [1, 1], nats
 * @source          Szegedy et al. 2016, section 7
 */
export function labelLoss(logits: Value, labels: Value, smoothing: number): Value {
  const classes = logits.shape[1] as number;
  const targets = add(mul(oneHot(labels, classes), 1 - smoothing), smoothing / classes);
  return crossEntropy(logits, targets, 1);
}
