import { toRgb } from "./convert.js";
import type { Picture } from "./picture.js";
import { clipPreprocess, fitImage, preprocess, type PreprocessConfig } from "./preprocess.js";

/** A tensor as the reference lays it out: uint8 [H, W, 3], or float32 [3, H, W] with the std it was divided by. */
export interface Result {
  readonly data: Uint8Array | Float32Array;
  readonly shape: readonly number[];
  readonly std: readonly number[];
}

/** How to compute the tensor of a key; undefined for a key of another kind. */
export function recipeOf(key: string): ((picture: Picture) => Result) | undefined {
  const match =
    /^(rgb|clip|squash_bicubic|squash_bilinear|float_clip|float_siglip|float_longest)(\d*)(?:\/(\w+))?$/.exec(
      key,
    );
  if (match === null) return undefined;
  const [, kind, digits, variant] = match;
  const size = Number(digits);
  const fitted = (changes: Partial<PreprocessConfig>) => (picture: Picture) =>
    pixels(fitImage(picture, { ...clipPreprocess, size, ...changes }));
  const normalised = (changes: Partial<PreprocessConfig>) => (picture: Picture) => {
    const config = { ...clipPreprocess, size, ...changes };
    return { data: preprocess(picture, config), shape: [3, size, size], std: config.std };
  };
  if (kind === "rgb")
    return digits === "" && variant === undefined ? (picture) => pixels(toRgb(picture)) : undefined;
  if (size < 1) return undefined;
  if (kind === "clip") {
    if (variant === undefined) return fitted({ convert: "early" });
    if (variant === "late") return fitted({ convert: "late" });
    return variant === "transformers" ? fitted({ convert: "white", cropRounding: "floor" }) : undefined;
  }
  if (variant !== undefined) return undefined;
  const half = [0.5, 0.5, 0.5];
  switch (kind) {
    case "squash_bicubic":
      return fitted({ resizeMode: "squash", convert: "early" });
    case "squash_bilinear":
      return fitted({ resizeMode: "squash", interpolation: "bilinear", convert: "early" });
    case "float_clip":
      return normalised({});
    case "float_siglip":
      return normalised({ resizeMode: "squash", mean: half, std: half });
    default:
      return normalised({ resizeMode: "longest", interpolation: "bilinear" });
  }
}

const pixels = ({ width, height, data }: { width: number; height: number; data: Uint8Array }): Result => ({
  data,
  shape: [height, width, 3],
  std: [],
});
