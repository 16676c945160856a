import { readFile } from "node:fs/promises";
import { decodeImage, resize, toRgb, type RgbPicture } from "../../input/image/index.js";

/** A picture that fits into a box, upright. @throws what `decodeImage` throws */
export async function thumbnail(path: string, width: number, height: number): Promise<RgbPicture> {
  const picture = toRgb(await decodeImage(await readFile(path), { shortest: Math.min(width, height) }));
  const factor = Math.min(width / picture.width, height / picture.height, 1);
  const side = (length: number): number => Math.max(1, Math.round(length * factor));
  return toRgb(resize(picture, side(picture.width), side(picture.height), { interpolation: "bicubic" }));
}
