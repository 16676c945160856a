import sharp from "sharp";
import { CliptError, messageOf } from "../../tensor/index.js";
import { decodeBmp } from "./formats/bmp.js";
import { decodeGif } from "./formats/gif.js";
import { readPngHeader } from "./formats/png.js";
import { showHead, sniff, type Format } from "./formats/sniff.js";
import { rgbPicture, type ByteMode, type Picture } from "./picture.js";

export interface DecodeOptions {
  /** Turns the picture as its EXIF orientation says; the reference does not. Default true. */
  readonly orient?: boolean;
  /** Pictures with more pixels are refused: a small file can hold a huge one. Default: Pillow's own limit. */
  readonly maxPixels?: number;
  /**
   * The caller needs no more than this length of the shortest side: a JPEG of more than twice that is reduced
   * while it is decoded. Fast, and within the tolerance that docs and tests state; leave it out to be exact.
   */
  readonly shortest?: number;
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
  if ((options.orient ?? true) || format === "tiff") image = image.autoOrient();
  const small = options.shortest === undefined || format !== "jpeg" ? undefined : 2 * options.shortest;
  if (small !== undefined && Math.min(meta.width, meta.height) >= 2 * small)
    image = image.resize({
      width: small,
      height: small,
      fit: "outside",
      kernel: "cubic",
      fastShrinkOnLoad: false,
    });

  const png = format === "png" ? readPngHeader(bytes) : undefined;
  if (meta.space === "grey16" && (png === undefined || png.mode === "I;16") && meta.channels === 1) {
    const { data, info } = await image
      .pipelineColourspace("grey16")
      .toColourspace("grey16")
      .raw({ depth: "ushort" })
      .toBuffer({ resolveWithObject: true });
    const samples = new Uint16Array(data.buffer, data.byteOffset, info.width * info.height);
    return { mode: "I;16", width: info.width, height: info.height, data: samples };
  }
  const space = meta.space === "cmyk" ? "cmyk" : meta.space === "b-w" && !meta.hasAlpha ? "b-w" : undefined;
  if (space !== undefined) image = image.pipelineColourspace(space).toColourspace(space);
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (space === "cmyk") return { mode: "CMYK", width, height, data };
  if (space === "b-w")
    return { mode: png?.mode === "1" || meta.bitsPerSample === 1 ? "1" : "L", width, height, data };

  const mode: ByteMode = (png?.mode as ByteMode | undefined) ?? (channels === 4 ? "RGBA" : "RGB");
  if (mode === "P") return { mode, width, height, data: withAlpha(data, channels), ...palette(png) };
  if (mode === "L" || mode === "1") return { mode, width, height, data: pick(data, channels, [0]) };
  if (mode === "LA") return { mode, width, height, data: pick(data, channels, [0, 3]) };
  if (mode === "RGB")
    return rgbPicture(width, height, channels === 3 ? data : pick(data, channels, [0, 1, 2]));
  return { mode, width, height, data };
}

const palette = (png: { palette?: Uint8Array } | undefined): { palette?: Uint8Array } =>
  png?.palette === undefined ? {} : { palette: png.palette };

/** Some samples of each pixel. */
function pick(data: Uint8Array, channels: number, samples: readonly number[]): Uint8Array {
  const pixels = data.length / channels;
  const result = new Uint8Array(pixels * samples.length);
  let at = 0;
  for (let i = 0; i < data.length; i += channels)
    for (const sample of samples) result[at++] = data[i + sample] ?? 0;
  return result;
}

function withAlpha(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 4) return data;
  const result = new Uint8Array((data.length / 3) * 4).fill(255);
  for (let i = 0, o = 0; i < data.length; i += 3, o += 4) result.set(data.subarray(i, i + 3), o);
  return result;
}
