import type { DecodeOptions, PreprocessConfig } from "../input/image/index.js";
import { flag } from "./fields.js";

/** Field of tasks that read people's own pictures. */
export const exactField = flag(
  "Decode as the reference does: every pixel, no rotation by EXIF; slower on large photos",
).default(false);

/** How pictures are decoded: upright and no larger than needed, or exactly as the reference does. */
export function decoding(
  { size, scaleTo = size, resizeMode, interpolation }: PreprocessConfig,
  exact: boolean,
): DecodeOptions {
  if (exact) return { orient: false };
  if (scaleTo === "none") return { orient: true };
  const [height, width] = typeof scaleTo === "number" ? [scaleTo, scaleTo] : scaleTo;
  const known = resizeMode === "shortest" && width === height && new Set([size].flat()).size === 1;
  return {
    orient: true,
    shortest: Math.max(height, width),
    ...(known ? { interpolation } : {}),
    ...(resizeMode === "squash" ? { interpolation, stretched: { width, height } } : {}),
  };
}
