import sharp, { type Metadata, type Sharp } from "sharp";
import { CliptError, messageOf } from "../../tensor/index.js";
import { decodeBmp } from "./formats/bmp.js";
import { decodeGif } from "./formats/gif.js";
import { readPngHeader } from "./formats/png.js";
import { isTiffPalette } from "./formats/tiff.js";
import { showHead, sniff, type Format } from "./formats/sniff.js";
import { channelsOf, type Mode, type Picture } from "./picture.js";

export interface DecodeOptions {
  /** Turns the picture as its EXIF orientation says; the reference does not. Default true. */
  readonly orient?: boolean | undefined;
  /** Pictures with more pixels are refused: a small file can hold a huge one. Default: Pillow's own limit. */
  readonly maxPixels?: number | undefined;
  /**
   * The caller will scale the shortest side to this length, in pixels. A JPEG of at least six times that is reduced
   * while it is decoded, to three times that: a 12-megapixel photo takes a quarter of the time, and its result
   * differs from the exact one by 0.2 levels of 255 on average and by at most 4 (12 beyond thirty times).
   * Left out, the result is exact.
   */
  readonly shortest?: number | undefined;
}

/** Twice the number of pixels that fill 1/4 GB: where Pillow raises DecompressionBombError. */
export const defaultMaxPixels = 178_956_970;

// libvips keeps decoded files by their address; a batch never reads the same bytes twice.
sharp.cache(false);

/**
 * Decodes a JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF file; of several frames the first. ICC profiles are ignored, as the
 * reference ignores them.
 *
 * @throws `input` when the bytes are no picture, end early or are damaged, or hold too many pixels;
 *         `unsupported` for HEIC and rare layouts
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeOptions = {}): Promise<Picture> {
  const format = sniff(bytes);
  if (format === undefined)
    throw new CliptError(
      "input",
      `Not a picture: begins with ${showHead(bytes)}. JPEG, PNG, WebP, GIF, TIFF, BMP and AVIF are read.`,
    );
  if (format === "heic")
    throw new CliptError("unsupported", "HEIC pictures cannot be read; save them as JPEG, PNG or AVIF.");
  const maxPixels = options.maxPixels ?? defaultMaxPixels;
  const check = (width: number, height: number): void => {
    if (!(width > 0 && height > 0))
      throw new CliptError("input", `A picture of ${width}×${height} has no pixels.`);
    if (width * height > maxPixels)
      throw new CliptError(
        "input",
        `The picture has ${width}×${height} pixels; at most ${maxPixels} are read (option maxPixels).`,
      );
  };
  if (format === "bmp") return decodeBmp(bytes, check);
  if (format === "gif") return decodeGif(bytes, check);
  try {
    return await decodeBySharp(bytes, format, check, options);
  } catch (error) {
    if (error instanceof CliptError) throw error;
    const reason = messageOf(error).split("\n")[0] ?? "";
    const name = format.toUpperCase();
    const truncated = /premature end|truncat|read error|out of order read|unexpected end|not enough data/i;
    throw new CliptError(
      "input",
      truncated.test(reason) || endsEarly(bytes, format)
        ? `The ${name} is truncated after ${bytes.length} bytes (${reason}).`
        : `The ${name} is damaged: ${reason}.`,
      { cause: error },
    );
  }
}

/** A container that promises more bytes than there are. */
function endsEarly(bytes: Uint8Array, format: Format): boolean {
  if (format !== "webp" || bytes.length < 8) return false;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true) + 8 > bytes.length;
}

async function decodeBySharp(
  bytes: Uint8Array,
  format: Format,
  check: (width: number, height: number) => void,
  options: DecodeOptions,
): Promise<Picture> {
  // Pillow, too, stops at truncated data and passes over libjpeg's warnings.
  const open = sharp(bytes, { failOn: "truncated", ignoreIcc: true, limitInputPixels: false });
  const meta = await open.metadata();
  check(meta.width, meta.height);

  let image = open;
  // TIFF's orientation belongs to its layout: Pillow applies that one always.
  const orient = (options.orient ?? true) || format === "tiff";
  if (orient) image = image.autoOrient();
  if (format === "jpeg" && options.shortest !== undefined)
    image = reduced(image, orient ? meta.autoOrient : meta, options.shortest);

  const png = format === "png" ? readPngHeader(bytes) : undefined;
  const mode = png?.mode ?? modeOf(meta, format === "tiff" && isTiffPalette(bytes));
  if (mode === "I;16") {
    const {
      bytes: data,
      width,
      height,
      channels,
    } = await raw(image.pipelineColourspace("grey16").toColourspace("grey16"), "ushort");
    const samples = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
    return {
      mode,
      width,
      height,
      data: channels === 1 ? samples : samples.filter((_, i) => i % channels === 0),
    };
  }
  // Left to itself, the library makes RGB of everything, of CMYK by a profile.
  if (mode === "CMYK") image = image.pipelineColourspace("cmyk").toColourspace("cmyk");
  if (mode === "L" || mode === "1") image = image.pipelineColourspace("b-w").toColourspace("b-w");
  const { bytes: data, width, height, channels } = await raw(image);
  const palette = png?.palette === undefined ? {} : { palette: png.palette };
  return { mode, width, height, data: withChannels(data, channels, channelsOf[mode]), ...palette };
}

async function raw(image: Sharp, depth: "uchar" | "ushort" = "uchar") {
  const { data, info } = await image.raw({ depth }).toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  // A plain view: a Buffer behaves otherwise in slice() and in messages between threads.
  return { bytes: new Uint8Array(data.buffer, data.byteOffset, data.length), width, height, channels };
}

/** Leaves a factor of three to the exact resize, and the proportions to the pixel that it would end at. */
function reduced(
  image: Sharp,
  { width, height }: { width: number; height: number },
  shortest: number,
): Sharp {
  const short = Math.min(width, height);
  if (short < 6 * shortest) return image;
  const long = 3 * Math.trunc((shortest * Math.max(width, height)) / short);
  const size =
    width <= height ? { width: 3 * shortest, height: long } : { width: long, height: 3 * shortest };
  return image.resize({ ...size, fit: "fill", kernel: "cubic", fastShrinkOnLoad: false });
}

/** The mode of a file that does not tell it by a header of its own that we read. */
function modeOf(meta: Metadata, hasPalette: boolean): Mode {
  if (hasPalette) return "P";
  if (meta.space === "cmyk") return "CMYK";
  if (meta.space === "grey16" && !meta.hasAlpha) return "I;16";
  if (meta.space === "b-w") return meta.hasAlpha ? "LA" : meta.bitsPerSample === 1 ? "1" : "L";
  return meta.hasAlpha ? "RGBA" : "RGB";
}

/** Pixels with colours or alpha left out, or with alpha added (opaque). Two channels are grey and alpha. */
function withChannels(data: Uint8Array, have: number, want: number): Uint8Array {
  if (have === want) return data;
  const pixels = data.length / have;
  const result = new Uint8Array(pixels * want).fill(255);
  const colours = want < 3 ? 1 : 3;
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < colours; c++) result[i * want + c] = data[i * have + (have < 3 ? 0 : c)] ?? 0;
    if (want > colours && have % 2 === 0) result[i * want + colours] = data[i * have + have - 1] ?? 0;
  }
  return result;
}
