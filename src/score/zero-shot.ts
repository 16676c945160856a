import { CliptError, f32, type Tensor } from "../tensor/index.js";
import { normalizeRows } from "./normalize.js";

/**
 * One direction for each class out of the features of its sentences: each sentence to length 1, their mean, to length 1.
 *
 * @param features [sentences, dim], the sentences of the first class first
 * @param counts   number of sentences of each class, at least 1
 * @returns        [classes, dim], rows of length 1
 * @throws         `shape` when the counts do not add up to the sentences
 * @source         CLIP_benchmark `zero_shot_classifier`
 */
export function classDirections(features: Tensor<"float32">, counts: readonly number[]): Tensor<"float32"> {
  const [sentences = 0, width = 0] = features.shape;
  const wanted = counts.reduce((sum, count) => sum + count, 0);
  if (wanted !== sentences || counts.some((count) => count < 1))
    throw new CliptError(
      "shape",
      `${counts.length} classes need ${wanted} sentences, one or more each; got ${sentences}.`,
    );
  const unit = normalizeRows(features).data;
  const sums = new Float64Array(counts.length * width);
  let row = 0;
  for (const [c, count] of counts.entries())
    for (const end = row + count; row < end; row++)
      for (let i = 0; i < width; i++) sums[c * width + i]! += unit[row * width + i]! / count;
  return normalizeRows(f32([counts.length, width], Float32Array.from(sums)));
}

/**
 * A zero-shot classifier: the directions of classes that are told by sentences ("a photo of a cat.", …).
 *
 * @param prompts the sentences of each class; templates and synonyms filled in, at least one
 * @param encode  texts → [texts, dim]
 * @returns       [classes, dim], rows of length 1
 */
export async function zeroShotHead(
  prompts: readonly (readonly string[])[],
  encode: (texts: readonly string[]) => Promise<Tensor<"float32">>,
): Promise<Tensor<"float32">> {
  return classDirections(
    await encode(prompts.flat()),
    prompts.map((sentences) => sentences.length),
  );
}
