import { add, mul, type Value } from "../../graph/index.js";
import { crossEntropy } from "./cross-entropy.js";
import { sharesOf } from "./positives.js";

/**
 * CLIP's symmetric loss: the mean of picture → text and text → picture cross-entropies. Several positives share the
 * target evenly; a text without a picture is a negative and nothing else.
 *
 * @param logits    [pictures, texts]
 * @param positives [pictures, texts], 1 where the two belong together
 * @returns         a scalar of shape [1, 1], nats
 * @source          Radford et al. 2021, figure 3; several positives as in UniCL (Yang et al. 2022, eq. 3)
 */
export function contrastiveLoss(logits: Value, positives: Value): Value {
  const toText = crossEntropy(logits, sharesOf(positives, 1), 1);
  const toPicture = crossEntropy(logits, sharesOf(positives, 0), 0);
  return mul(add(toText, toPicture), 0.5);
}
