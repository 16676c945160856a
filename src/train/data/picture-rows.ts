import { CliptError, random, type Code, type Seed } from "../../tensor/index.js";
import {
  augment,
  decodeImage,
  fitImage,
  normalizeInto,
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
 * @param into where the row is written; a new one when absent
 * @returns    [3, height, width] of the preprocessing's size, or why the picture cannot be used
 */
export async function pictureRow<B extends ArrayBufferLike = ArrayBuffer>(
  image: Extent | Uint8Array,
  options: PictureOptions,
  seed?: Seed,
  into?: Float32Array<B>,
): Promise<Float32Array<B> | Broken> {
  try {
    const picture = await decodeImage(
      image instanceof Uint8Array ? image : readExtent(image),
      options.decode,
    );
    const fitted =
      seed === undefined || options.augment === undefined
        ? fitImage(picture, options.preprocess)
        : augment(picture, options.preprocess, options.augment, random(seed));
    const row = into ?? (new Float32Array(3 * fitted.width * fitted.height) as Float32Array<B>);
    normalizeInto(fitted, options.preprocess, row, 0);
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
