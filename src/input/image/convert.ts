import { channelsOf, rgbPicture, type Picture, type RgbPicture } from "./picture.js";

/** a·b/255, rounded, as Pillow's MULDIV255 does it. */
export const mulDiv255 = (a: number, b: number): number => {
  const t = a * b + 128;
  return ((t >> 8) + t) >> 8;
};

/**
 * Pillow's `convert("RGB")`: alpha is dropped, not composited; 16-bit grey is clipped at 255, not scaled;
 * CMYK goes through (255−K)·(255−C)/255 without a profile.
 */
export function toRgb(picture: Picture): RgbPicture {
  if (picture.mode === "RGB") return picture as RgbPicture;
  const { width, height, data } = picture;
  const pixels = width * height;
  const rgb = new Uint8Array(pixels * 3);
  const step = channelsOf[picture.mode];
  if (picture.mode === "CMYK")
    for (let i = 0, o = 0; o < rgb.length; i += 4, o += 3) {
      const light = 255 - (data[i + 3] ?? 0);
      rgb[o] = light - mulDiv255(data[i] ?? 0, light);
      rgb[o + 1] = light - mulDiv255(data[i + 1] ?? 0, light);
      rgb[o + 2] = light - mulDiv255(data[i + 2] ?? 0, light);
    }
  else if (step === 4)
    for (let i = 0, o = 0; o < rgb.length; i += 4, o += 3) {
      rgb[o] = data[i] ?? 0;
      rgb[o + 1] = data[i + 1] ?? 0;
      rgb[o + 2] = data[i + 2] ?? 0;
    }
  else
    for (let i = 0, o = 0; o < rgb.length; i += step, o += 3) rgb.fill(Math.min(255, data[i] ?? 0), o, o + 3);
  return rgbPicture(width, height, rgb);
}

/**
 * The picture over a white ground, as transformers' processors convert to RGB: `alpha_composite` of Pillow, whose
 * 7 extra bits of precision decide the rounding. Pictures without alpha are converted plainly.
 */
export function overWhite(picture: Picture): RgbPicture {
  const rgb = toRgb(picture);
  const alphaAt = picture.mode === "LA" ? 1 : picture.mode === "RGBA" || picture.mode === "P" ? 3 : undefined;
  if (alphaAt === undefined) return rgb;
  const step = channelsOf[picture.mode];
  const { data } = rgb;
  for (let i = alphaAt, o = 0; o < data.length; i += step, o += 3) {
    const alpha = picture.data[i] ?? 255;
    for (let c = o; c < o + 3; c++) data[c] = blendWithWhite(data[c] ?? 0, alpha);
  }
  return rgb;
}

function blendWithWhite(value: number, alpha: number): number {
  // Over an opaque ground the result is opaque: Pillow's coefficients become alpha·2^7 and (255 − alpha)·2^7.
  const sum = value * (alpha << 7) + 255 * ((255 - alpha) << 7) + (0x80 << 7);
  return (((sum >> 8) + sum) >> 8) >> 7;
}
