import type { PictureOptions } from "./picture-rows.js";

/** Shape of the rows that these options make. Apart from what decodes: who only has rows made needs no decoder. */
export function pictureShape({ preprocess: { size } }: PictureOptions): number[] {
  return typeof size === "number" ? [3, size, size] : [3, ...size];
}
