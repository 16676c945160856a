import { CliptError } from "../../tensor/index.js";
import { overWhite, toRgb } from "./convert.js";
import { crop, pad, type Picture, type RgbPicture } from "./picture.js";
import type { Interpolation } from "./resize/coefficients.js";
import { resize, type ResizeOptions } from "./resize/resize.js";

/** How a family turns a picture into its model's input. Names are open_clip's `preprocess_cfg`. */
export interface PreprocessConfig {
  /** Side of the square, or [height, width]. */
  readonly size: number | readonly [number, number];
  /**
   * "shortest": the shortest side becomes `size`, the centre is cut out; "longest": the longest one does, the rest is
   * filled; "squash": both, the proportions are lost.
   */
  readonly resizeMode: "shortest" | "longest" | "squash";
  /**
   * What a picture is scaled to before the centre of `size` is cut out, where that is another size (transformers): the
   * shortest side, or [height, width] of "squash". "none": it is not scaled. What is too small is filled around.
   */
  readonly scaleTo?: number | readonly [number, number] | "none" | undefined;
  readonly interpolation: Interpolation;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Factor of the samples, 0–255, before mean and std; absent: 1/255. */
  readonly rescale?: number | undefined;
  /** Value of the border of "longest", 0–255. */
  readonly fillColor: number;
  /**
   * When the picture becomes RGB: "late", after resize and crop (OpenAI, OpenCLIP); "early", before;
   * "white", before, over a white ground (transformers' Pillow processors).
   */
  readonly convert: "late" | "early" | "white";
  /** Half a pixel in a centre crop: to the even one (torchvision, OpenCLIP) or down (transformers). */
  readonly cropRounding: "even" | "floor";
  readonly order?: ResizeOptions["order"];
  readonly passes?: ResizeOptions["passes"];
}

export const openaiMean: readonly number[] = [0.48145466, 0.4578275, 0.40821073];
export const openaiStd: readonly number[] = [0.26862954, 0.26130258, 0.27577711];

/** OpenAI's and OpenCLIP's preprocessing at 224 px; what a `preprocess_cfg` leaves out. */
export const clipPreprocess: PreprocessConfig = {
  size: 224,
  resizeMode: "shortest",
  interpolation: "bicubic",
  mean: openaiMean,
  std: openaiStd,
  fillColor: 0,
  convert: "late",
  cropRounding: "even",
};

/**
 * Resize, crop or pad, and conversion to RGB: what the model sees, in 8 bits.
 *
 * @returns [height, width, 3] of the config's size
 */
export function fitImage(picture: Picture, config: PreprocessConfig): RgbPicture {
  const [height, width] = sidesOf(config.size);
  if (!(Number.isInteger(height) && Number.isInteger(width) && height > 0 && width > 0))
    throw new CliptError("usage", `A picture size of ${config.size} is not valid; whole pixels above 0 are.`);
  const image =
    config.convert === "late" ? picture : config.convert === "white" ? overWhite(picture) : toRgb(picture);
  const scaled = (w: number, h: number, interpolation = config.interpolation) =>
    resize(image, w, h, { interpolation, order: config.order, passes: config.passes });
  const { scaleTo } = config;
  if (scaleTo === "none") return toRgb(centre(image, width, height, config));
  switch (config.resizeMode) {
    case "squash": {
      const [scaledHeight, scaledWidth] = sidesOf(scaleTo ?? config.size);
      return toRgb(centre(scaled(scaledWidth, scaledHeight), width, height, config));
    }
    case "shortest": {
      const edge = typeof scaleTo === "number" ? scaleTo : width === height ? width : undefined;
      if (edge !== undefined) {
        const short = Math.min(image.width, image.height);
        const long = Math.trunc((edge * Math.max(image.width, image.height)) / short);
        const resized = image.width <= image.height ? scaled(edge, long) : scaled(long, edge);
        return toRgb(centre(resized, width, height, config));
      }
      const ratio = Math.min(image.height / height, image.width / width);
      const resized = scaled(roundEven(image.width / ratio), roundEven(image.height / ratio), "bicubic");
      return toRgb(centre(resized, width, height, config));
    }
    case "longest": {
      const ratio = Math.max(image.height / height, image.width / width);
      const resized = scaled(
        Math.max(1, roundEven(image.width / ratio)),
        Math.max(1, roundEven(image.height / ratio)),
      );
      return toRgb(centre(resized, width, height, config));
    }
  }
}

const sidesOf = (size: number | readonly [number, number]): readonly [height: number, width: number] =>
  typeof size === "number" ? [size, size] : size;

/**
 * A picture as a model's input: `fitImage`, then (value/255 − mean)/std in float32, step by step as torch does it.
 *
 * @returns [3, height, width]
 */
export function preprocess(picture: Picture, config: PreprocessConfig): Float32Array {
  const fitted = fitImage(picture, config);
  const result = new Float32Array(fitted.width * fitted.height * 3);
  normalizeInto(fitted, config, result, 0);
  return result;
}

/** Writes a picture's normalised planes [3, height, width] into a batch at `offset`. */
export function normalizeInto(
  picture: RgbPicture,
  config: Normalization,
  into: Float32Array,
  offset: number,
): void {
  const { data } = picture;
  const pixels = picture.width * picture.height;
  for (let c = 0; c < 3; c++) {
    const levels = levelsOf(config)[c]!;
    const plane = into.subarray(offset + c * pixels, offset + (c + 1) * pixels);
    for (let i = 0, at = c; i < pixels; i++, at += 3) plane[i] = levels[data[at] ?? 0] ?? 0;
  }
}

type Normalization = Pick<PreprocessConfig, "mean" | "std" | "rescale">;

const known = new WeakMap<Normalization, readonly Float32Array[]>();

/** What each of the 256 values becomes, for each colour: once for all pictures of a config. */
function levelsOf(config: Normalization): readonly Float32Array[] {
  const { mean, std, rescale } = config;
  const levels =
    known.get(config) ?? [0, 1, 2].map((c) => normalizedLevels(mean[c] ?? 0, std[c] ?? 1, rescale));
  known.set(config, levels);
  return levels;
}

function normalizedLevels(mean: number, std: number, factor = 1 / 255): Float32Array {
  const [m, s] = [Math.fround(mean), Math.fround(std)];
  // Rounded to float32, a 255th of each level is the same by division and by this factor.
  return Float32Array.from({ length: 256 }, (_, value) =>
    Math.fround(Math.fround(Math.fround(value * factor) - m) / s),
  );
}

/**
 * Cuts out the centre; where the picture is too small, fills around it. An odd pixel goes to the right and below, in
 * transformers to the left and above.
 */
function centre(picture: Picture, width: number, height: number, config: PreprocessConfig): Picture {
  const [dx, dy] = [Math.max(0, width - picture.width), Math.max(0, height - picture.height)];
  const even = config.cropRounding === "even";
  const [left, top] = [dx, dy].map((gap) => (even ? gap >> 1 : (gap + 1) >> 1)) as [number, number];
  const padded =
    dx > 0 || dy > 0
      ? pad(picture, { left, top, right: dx - left, bottom: dy - top }, config.fillColor)
      : picture;
  const half = even ? roundEven : Math.floor;
  return crop(padded, {
    left: half((padded.width - width) / 2),
    top: half((padded.height - height) / 2),
    width,
    height,
  });
}

/** Python's round(): halves go to the even neighbour. */
function roundEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}
