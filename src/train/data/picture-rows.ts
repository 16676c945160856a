import { CliptError, random, type Code, type Seed } from "../../tensor/index.js";
import {
  augment,
  decodeImage,
  normalizeInto,
  preprocess,
  type AugmentConfig,
  type DecodeOptions,
  type PreprocessConfig,
} from "../../input/image/index.js";
import { readExtent, type Extent } from "./sample.js";
import type { Broken } from "./row-reader.js";

/** From a picture's bytes to a model's input. Plain data: it is sent to workers. */
export interface PictureOptions {
  readonly preprocess: PreprocessConfig;
  /** Random changes, made where a seed is given. */
  readonly augment?: AugmentConfig;
  readonly decode?: DecodeOptions;
}

/** Codes of errors that concern one picture only. */
const ofThePicture: ReadonlySet<Code> = new Set<Code>(["input", "format", "missing", "io", "unsupported"]);

/**
 * Reads, decodes and fits one picture, given by its place or its bytes; with a seed and augmentation it is varied at random instead of fitted.
 *
 * @returns [3, height, width] of the preprocessing's size, or why the picture cannot be used
 */
export async function pictureRow(
  image: Extent | Uint8Array,
  options: PictureOptions,
  seed?: Seed,
): Promise<Float32Array<ArrayBuffer> | Broken> {
  try {
    const picture = await decodeImage(
      image instanceof Uint8Array ? image : readExtent(image),
      options.decode,
    );
    if (seed === undefined || options.augment === undefined)
      return preprocess(picture, options.preprocess) as Float32Array<ArrayBuffer>;
    const varied = augment(picture, options.preprocess, options.augment, random(seed));
    const row = new Float32Array(3 * varied.width * varied.height);
    normalizeInto(varied, options.preprocess, row, 0);
    return row;
  } catch (error) {
    return asBroken(error);
  }
}

/** Why one picture cannot be used. @throws the error when it concerns more than the picture */
export function asBroken(error: unknown): Broken {
  if (error instanceof CliptError && ofThePicture.has(error.code))
    return { reason: error.message, code: error.code };
  throw error;
}

/** Shape of the rows that these options make. */
export function pictureShape({ preprocess: { size } }: PictureOptions): number[] {
  return typeof size === "number" ? [3, size, size] : [3, ...size];
}
