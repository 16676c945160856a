import { CliptError } from "../../tensor/index.js";

/** How a file stores its pixels, in Pillow's names. */
export type ByteMode = "1" | "L" | "LA" | "P" | "RGB" | "RGBA" | "CMYK";
export type Mode = ByteMode | "I;16";

/** Samples of one pixel. A palette picture is held with its colours looked up: red, green, blue, alpha. */
export const channelsOf: Readonly<Record<Mode, number>> = {
  "1": 1,
  L: 1,
  LA: 2,
  P: 4,
  RGB: 3,
  RGBA: 4,
  CMYK: 4,
  "I;16": 1,
};

/**
 * A decoded picture in its file's own mode, because the reference resizes before it converts to RGB.
 * `data` is [height, width, channels], row-major; mode "1" holds 0 and 255, CMYK holds ink (255 = full).
 */
export interface BytePicture {
  readonly mode: ByteMode;
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** Mode P: [n, 4] colours with alpha. Padding with index i takes its colour from here. */
  readonly palette?: Uint8Array;
}

export interface WidePicture {
  readonly mode: "I;16";
  readonly width: number;
  readonly height: number;
  readonly data: Uint16Array;
}

export type Picture = BytePicture | WidePicture;

/** A picture of 8 bits for red, green and blue, [height, width, 3]. */
export type RgbPicture = BytePicture & { readonly mode: "RGB" };

export const rgbPicture = (width: number, height: number, data: Uint8Array): RgbPicture => ({
  mode: "RGB",
  width,
  height,
  data,
});

/** The same pixels in arrays that can be written: a new picture with one value in every sample. */
export function sameKind(picture: Picture, width: number, height: number): Picture {
  const size = width * height * channelsOf[picture.mode];
  return picture.mode === "I;16"
    ? { mode: picture.mode, width, height, data: new Uint16Array(size) }
    : { ...picture, width, height, data: new Uint8Array(size) };
}

/** A rectangle in whole pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** @throws `input` when the box does not lie inside of the picture */
export function crop(picture: Picture, box: Box): Picture {
  const { left, top, width, height } = box;
  if (left < 0 || top < 0 || width < 1 || height < 1)
    throw new CliptError("input", `A crop of ${width}×${height} at ${left},${top} is no area.`);
  if (left + width > picture.width || top + height > picture.height)
    throw new CliptError(
      "input",
      `A crop of ${width}×${height} at ${left},${top} leaves the picture of ${picture.width}×${picture.height}.`,
    );
  if (width === picture.width && height === picture.height) return picture;
  const channels = channelsOf[picture.mode];
  const result = sameKind(picture, width, height);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * picture.width + left) * channels;
    result.data.set(picture.data.subarray(from, from + width * channels), y * width * channels);
  }
  return result;
}

/** Puts a border of one colour around a picture. `fill` is a sample's value, in mode P an index into the palette. */
export function pad(
  picture: Picture,
  border: { left: number; top: number; right: number; bottom: number },
  fill: number,
): Picture {
  const channels = channelsOf[picture.mode];
  const width = border.left + picture.width + border.right;
  const height = border.top + picture.height + border.bottom;
  const result = sameKind(picture, width, height);
  if (picture.mode === "P" && picture.palette !== undefined) {
    const colour = picture.palette.subarray(fill * 4, fill * 4 + 4);
    for (let i = 0; i < result.data.length; i += 4) result.data.set(colour, i);
  } else result.data.fill(picture.mode === "1" && fill !== 0 ? 255 : fill);
  const row = picture.width * channels;
  for (let y = 0; y < picture.height; y++)
    result.data.set(
      picture.data.subarray(y * row, (y + 1) * row),
      ((border.top + y) * width + border.left) * channels,
    );
  return result;
}
