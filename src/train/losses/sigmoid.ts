import { div, mul, neg, softplus, sub, sum, type Value } from "../../graph/index.js";

/**
 * SigLIP's loss: every pair of the batch is one yes/no question; summed over texts, averaged over pictures.
 *
 * @param logits    [pictures, texts], temperature and bias applied
 * @param positives [pictures, texts], 1 where the two belong together
 * @returns         a scalar of shape [1, 1], nats
 * @source          Zhai et al. 2023, algorithm 1
 */
export function sigmoidLoss(logits: Value, positives: Value): Value {
  const sign = sub(mul(positives, 2), 1);
  return div(sum(softplus(neg(mul(sign, logits)))), logits.shape[0] as number);
}
