import type { Random } from "../../tensor/index.js";
import { jitterColours, toGrey, type ColorJitter } from "./colour.js";
import { toRgb } from "./convert.js";
import { rgbPicture, type Box, type Picture, type RgbPicture } from "./picture.js";
import type { PreprocessConfig } from "./preprocess.js";
import { resize } from "./resize/resize.js";

/** Random changes of a training picture; names are open_clip's `--aug-cfg`. Probabilities from 0 to 1. */
export interface AugmentConfig {
  /** Share of the picture's area that a crop takes. */
  readonly scale: readonly [number, number];
  /** Width to height of a crop. */
  readonly ratio: readonly [number, number];
  readonly horizontalFlipProb: number;
  readonly colorJitter: ColorJitter;
  readonly colorJitterProb: number;
  readonly grayScaleProb: number;
}

/** open_clip's default: a crop of 90 to 100 % and nothing else. */
export const openClipAugment: AugmentConfig = {
  scale: [0.9, 1],
  ratio: [3 / 4, 4 / 3],
  horizontalFlipProb: 0,
  colorJitter: { brightness: 0, contrast: 0, saturation: 0, hue: 0 },
  colorJitterProb: 0,
  grayScaleProb: 0,
};

/**
 * A random crop resized to the config's size, then perhaps mirrored, shifted in colour, made grey. The same state of
 * `rng` gives the same picture; every picture draws the same kinds of numbers in the same order.
 */
export function augment(
  picture: Picture,
  config: Pick<PreprocessConfig, "size" | "interpolation" | "order" | "passes">,
  changes: AugmentConfig,
  rng: Random,
): RgbPicture {
  const [height, width] = typeof config.size === "number" ? [config.size, config.size] : config.size;
  const cut = resize(picture, width, height, { ...config, box: randomCrop(picture, changes, rng) });
  let result = toRgb(cut);
  // The picture that came in stays as it is.
  if (result.data.buffer === picture.data.buffer) result = rgbPicture(width, height, result.data.slice());
  if (rng.next() < changes.horizontalFlipProb) mirror(result);
  if (rng.next() < changes.colorJitterProb) jitterColours(result, changes.colorJitter, rng);
  if (rng.next() < changes.grayScaleProb) toGrey(result);
  return result;
}

/**
 * A crop of random area and proportions, anywhere in the picture.
 *
 * @source torchvision `RandomResizedCrop.get_params`: ten tries, then the centre with the nearest allowed proportions
 */
export function randomCrop(
  { width, height }: { width: number; height: number },
  { scale, ratio }: Pick<AugmentConfig, "scale" | "ratio">,
  rng: Random,
): Box {
  const uniform = (from: number, to: number) => from + (to - from) * rng.next();
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * uniform(...scale);
    const aspect = Math.exp(uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const w = Math.round(Math.sqrt(area * aspect));
    const h = Math.round(Math.sqrt(area / aspect));
    if (w > 0 && h > 0 && w <= width && h <= height)
      return { top: rng.int(height - h + 1), left: rng.int(width - w + 1), width: w, height: h };
  }
  const aspect = Math.max(ratio[0], Math.min(ratio[1], width / height));
  const w = Math.max(1, Math.min(width, Math.round(height * aspect)));
  const h = Math.max(1, Math.min(height, Math.round(width / aspect)));
  return { top: (height - h) >> 1, left: (width - w) >> 1, width: w, height: h };
}

function mirror({ width, height, data }: RgbPicture): void {
  for (let y = 0; y < height; y++)
    for (let left = y * width * 3, right = left + (width - 1) * 3; left < right; left += 3, right -= 3)
      for (let c = 0; c < 3; c++) {
        const held = data[left + c] ?? 0;
        data[left + c] = data[right + c] ?? 0;
        data[right + c] = held;
      }
}
