import { shuffle, type Random } from "../../tensor/index.js";
import type { RgbPicture } from "./picture.js";

/** Half-widths of random factors around 1; hue: of a turn around 0, at most 0.5. 0 leaves a property alone. */
export interface ColorJitter {
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
  readonly hue: number;
}

/** Luma of ITU-R 601, in Pillow's 16-bit integers. */
const luma = (r: number, g: number, b: number): number => (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;

/** `from` at 0, `to` at 1, further out beyond; clipped to 8 bits and cut, not rounded, as Pillow's `blend` does it. */
function blend(from: number, to: number, factor: number): number {
  const value = Math.fround(from + Math.fround(factor * (to - from)));
  return value <= 0 ? 0 : value >= 255 ? 255 : value | 0;
}

/**
 * Changes brightness, contrast, saturation and hue by random amounts in a random order, in place.
 *
 * @source torchvision `ColorJitter` over Pillow's `ImageEnhance`
 */
export function jitterColours(picture: RgbPicture, jitter: ColorJitter, rng: Random): void {
  const around = (width: number, center: number) => center + width * (2 * rng.next() - 1);
  const changes = [
    () => jitter.brightness > 0 && brighten(picture, Math.max(0, around(jitter.brightness, 1))),
    () => jitter.contrast > 0 && changeContrast(picture, Math.max(0, around(jitter.contrast, 1))),
    () => jitter.saturation > 0 && saturate(picture, Math.max(0, around(jitter.saturation, 1))),
    () => jitter.hue > 0 && turnHue(picture, around(jitter.hue, 0)),
  ];
  for (const change of shuffle(changes, rng)) change();
}

/** Every pixel becomes its luma, in place. */
export function toGrey(picture: RgbPicture): void {
  saturate(picture, 0);
}

export function brighten({ data }: RgbPicture, factor: number): void {
  mapLevels(data, (value) => blend(0, value, Math.fround(factor)));
}

/** Towards or away from the mean luma. */
export function changeContrast({ data }: RgbPicture, factor: number): void {
  let sum = 0;
  for (let i = 0; i < data.length; i += 3) sum += luma(data[i] ?? 0, data[i + 1] ?? 0, data[i + 2] ?? 0);
  const mean = Math.floor(sum / (data.length / 3) + 0.5);
  mapLevels(data, (value) => blend(mean, value, Math.fround(factor)));
}

/** Towards or away from the pixel's own luma. */
export function saturate({ data }: RgbPicture, factor: number): void {
  const f = Math.fround(factor);
  for (let i = 0; i < data.length; i += 3) {
    const grey = luma(data[i] ?? 0, data[i + 1] ?? 0, data[i + 2] ?? 0);
    for (let c = i; c < i + 3; c++) data[c] = blend(grey, data[c] ?? 0, f);
  }
}

/** Turns every colour around the circle of hues; value and saturation of HSV stay. */
export function turnHue({ data }: RgbPicture, turns: number): void {
  for (let i = 0; i < data.length; i += 3) {
    const r = data[i] ?? 0;
    const g = data[i + 1] ?? 0;
    const b = data[i + 2] ?? 0;
    const value = Math.max(r, g, b);
    const chroma = value - Math.min(r, g, b);
    if (chroma === 0) continue;
    const sector =
      value === r ? (g - b) / chroma + 6 : value === g ? (b - r) / chroma + 2 : (r - g) / chroma + 4;
    const hue = sector + 6 * turns + 6;
    data[i] = channelAt(5 + hue, value, chroma);
    data[i + 1] = channelAt(3 + hue, value, chroma);
    data[i + 2] = channelAt(1 + hue, value, chroma);
  }
}

/** HSV to RGB without cases: over the circle of six sectors each channel is a trapezoid. */
function channelAt(sector: number, value: number, chroma: number): number {
  const k = sector % 6;
  return (value - chroma * Math.max(0, Math.min(k, 4 - k, 1)) + 0.5) | 0;
}

function mapLevels(data: Uint8Array, change: (value: number) => number): void {
  const levels = Uint8Array.from({ length: 256 }, (_, value) => change(value));
  for (let i = 0; i < data.length; i++) data[i] = levels[data[i] ?? 0] ?? 0;
}
