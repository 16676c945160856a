import { CliptError, messageOf } from "../../tensor/index.js";
import { decodeBmp } from "./formats/bmp.js";
import { decodeHeic } from "./formats/heic.js";
import { decodeGif } from "./formats/gif.js";
import { rawPreview } from "./formats/raw-preview.js";
import { formatNames, showHead, sniff, type Format } from "./formats/sniff.js";
import { decodeByLibrary } from "./library.js";
import type { Picture } from "./picture.js";
import type { Interpolation } from "./resize/coefficients.js";

export interface DecodeOptions {
  /** Turns the picture as its EXIF orientation says; the reference does not. Default true. */
  readonly orient?: boolean | undefined;
  /**
   * Pictures with more pixels are refused: a small file can hold a huge one. Default: Pillow's own limit; four times as many
   * where a JPEG is reduced while it is decoded, since some cameras have 200 megapixels.
   */
  readonly maxPixels?: number | undefined;
  /**
   * The caller will scale the shortest side to this length, in pixels. A JPEG of at least six times that is reduced
   * while it is decoded, to twice that; one of at least ten times from a quarter of its size, which takes less than a third of
   * the time. Sharp photographs brought to a thirteenth so differ from the exact result by 0.4 levels of 255 on average, and
   * by more than 4 in a thousandth of the samples.
   * Left out, the result is exact.
   */
  readonly shortest?: number | undefined;
  /** How the caller will do that: a JPEG that is reduced may be brought to that very size, so. */
  readonly interpolation?: Interpolation | undefined;
  /** The size that the caller will make of the picture, where it does not keep the proportions. `shortest` is its longer side. */
  readonly stretched?: { readonly width: number; readonly height: number } | undefined;
}

/** Twice the number of pixels that fill 1/4 GB: where Pillow raises DecompressionBombError. */
export const defaultMaxPixels = 178_956_970;

/**
 * Decodes a JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF or HEIC file; of several frames the first, of a camera's raw file its preview.
 * ICC profiles are ignored, as the reference ignores them.
 *
 * @throws `input` when the bytes are no picture, end early or are damaged, or hold too many pixels;
 *         `unsupported` for rare layouts
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeOptions = {}): Promise<Picture> {
  if (bytes.length === 0) throw new CliptError("input", "The file is empty.");
  const format = sniff(bytes);
  if (format === undefined)
    throw new CliptError("input", `Not a picture: begins with ${showHead(bytes)}. ${formatNames} are read.`);
  const check = (width: number, height: number, isReduced = false): void => {
    const maxPixels = options.maxPixels ?? (isReduced ? 4 : 1) * defaultMaxPixels;
    if (!(width > 0 && height > 0))
      throw new CliptError("input", `A picture of ${width}×${height} has no pixels.`);
    if (width * height > maxPixels)
      throw new CliptError(
        "input",
        `The picture has ${width}×${height} pixels; at most ${maxPixels} are read. A smaller copy of it would be.`,
      );
  };
  if (format === "bmp") return decodeBmp(bytes, check);
  if (format === "gif") return decodeGif(bytes, check);
  try {
    if (format === "heic") return await decodeHeic(bytes, check);
    const { orient = true, shortest, interpolation, stretched } = options;
    const reading = { orient, shortest, interpolation, stretched };
    if (format !== "raw") return await decodeByLibrary(bytes, format, check, reading);
    const preview = rawPreview(bytes);
    if (preview === undefined)
      throw new CliptError(
        "unsupported",
        "The raw file holds no preview; its sensor's numbers are not developed. Export it as JPEG or TIFF.",
      );
    const { jpeg, orientation } = preview;
    return await decodeByLibrary(jpeg, "jpeg", check, { ...reading, orientation });
  } catch (error) {
    if (error instanceof CliptError) throw error;
    const reason = (messageOf(error).split("\n")[0] ?? "").replace(/\W+$/, "");
    const why = reason === lost ? "" : reason;
    const name = format.toUpperCase();
    const truncated = /premature end|truncat|read error|out of order read|unexpected end|not enough data/i;
    throw new CliptError(
      "input",
      truncated.test(reason) || endsEarly(bytes, format)
        ? `The ${name} is truncated after ${bytes.length} bytes${why && ` (${why})`}.`
        : `The ${name} is damaged${why && `: ${why}`}.`,
      { cause: error },
    );
  }
}

/** libvips keeps its reasons in one place for all threads: another one may have taken this away. */
const lost = "Unknown error";

/** A container that promises more bytes than there are, or a JPEG whose last scan has no end. */
function endsEarly(bytes: Uint8Array, format: Format): boolean {
  if (format === "jpeg") {
    for (let i = bytes.length - 2; i >= 0; i--)
      if (bytes[i] === 0xff && (bytes[i + 1] === 0xd9 || bytes[i + 1] === 0xda)) return bytes[i + 1] === 0xda;
    return true;
  }
  if (format !== "webp" || bytes.length < 8) return false;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true) + 8 > bytes.length;
}
