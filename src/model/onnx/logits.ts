import type { Tensor } from "../../tensor/index.js";

/** What a model makes of a cosine: scale · cosine + bias. */
export interface Logits {
  readonly scale: number;
  readonly bias: number;
}

/**
 * Scale and bias of a joint model from what it computes, since its files say neither: the line through its logits over
 * its cosines, by least squares.
 *
 * @param logits [images, texts]
 * @param image  unit rows [images, dim]
 * @param text   unit rows [texts, dim]
 * @param biased whether there is a bias at all
 */
export function fitLogits(
  logits: Tensor<"float32">,
  image: Tensor<"float32">,
  text: Tensor<"float32">,
  biased: boolean,
): Logits {
  const [dim = 0, columns = 0] = [image.shape[1], text.shape[0]];
  const cosines = Array.from(logits.data, (_, at) => {
    const [i, t] = [Math.floor(at / columns) * dim, (at % columns) * dim];
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += image.data[i + d]! * text.data[t + d]!;
    return sum;
  });
  const mean = (numbers: ArrayLike<number>): number =>
    biased ? Array.from(numbers).reduce((a, b) => a + b, 0) / numbers.length : 0;
  const [x, y] = [mean(cosines), mean(logits.data)];
  const [both, own] = cosines.reduce(
    ([a, b], cosine, i) => [a + (cosine - x) * (logits.data[i]! - y), b + (cosine - x) ** 2],
    [0, 0] as [number, number],
  );
  const scale = both / own;
  return { scale, bias: y - scale * x };
}
