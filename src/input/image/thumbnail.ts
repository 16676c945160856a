import { toRgb } from "./convert.js";
import { decodeImage, type DecodeOptions } from "./decode.js";
import type { RgbPicture } from "./picture.js";
import { resize } from "./resize/resize.js";

/** A picture that fits into a box, upright; smaller ones stay as they are. @throws what `decodeImage` throws */
export async function thumbnail(
  bytes: Uint8Array,
  width: number,
  height: number,
  { maxPixels }: Pick<DecodeOptions, "maxPixels"> = {},
): Promise<RgbPicture> {
  const shortest = Math.min(width, height);
  const picture = toRgb(await decodeImage(bytes, { shortest, maxPixels }));
  const factor = Math.min(width / picture.width, height / picture.height, 1);
  const side = (length: number): number => Math.max(1, Math.round(length * factor));
  return toRgb(resize(picture, side(picture.width), side(picture.height), { interpolation: "bicubic" }));
}
