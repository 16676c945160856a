import sharp, { type Metadata, type ResizeOptions } from "sharp";
import { readPngHeader } from "./formats/png.js";
import type { Format } from "./formats/sniff.js";
import { readTiffPalette } from "./formats/tiff.js";
import { channelsOf, type Mode, type Picture } from "./picture.js";
import { turned } from "./turn.js";

// A batch never decodes the same bytes twice.
sharp.cache(false);

// Pillow, too, stops at truncated data and passes over libjpeg's warnings.
const reading = { failOn: "truncated", limitInputPixels: false } as const;

const known = new WeakMap<Uint8Array, Promise<Metadata>>();

/** What libvips reads of a picture without decoding it; of the same bytes once. @throws libvips' own errors */
export function pictureMetadata(bytes: Uint8Array): Promise<Metadata> {
  const read = known.get(bytes) ?? sharp(bytes, reading).metadata();
  known.set(bytes, read);
  return read;
}

/**
 * Decodes by libvips, with its conveniences off: no profile, no colour space but the file's own.
 *
 * @param check    is called with the size before anything is decoded
 * @param shortest see `DecodeOptions`
 * @param orientation what is said of a picture that says nothing itself
 * @throws         libvips' own errors
 */
export async function decodeByLibrary(
  bytes: Uint8Array,
  format: Format,
  check: (width: number, height: number, isReduced: boolean) => void,
  {
    orient,
    shortest,
    orientation,
  }: { orient: boolean; shortest: number | undefined; orientation?: number | undefined },
): Promise<Picture> {
  let image = sharp(bytes, { ...reading, ignoreIcc: true });
  const meta = await pictureMetadata(bytes);
  const reduction = format === "jpeg" && shortest !== undefined ? reductionOf(meta, shortest) : undefined;
  check(meta.width, meta.height, reduction !== undefined);

  if (reduction !== undefined) image = image.resize(reduction);
  // TIFF's orientation belongs to its layout: Pillow applies that one always.
  // A JPEG that is turned first is not reduced while it is decoded: those are turned afterwards.
  else if (orient || format === "tiff") image = image.autoOrient();
  const upright = (picture: Picture): Picture =>
    orient && (reduction !== undefined || meta.orientation === undefined)
      ? turned(picture, meta.orientation ?? orientation ?? 1)
      : picture;

  const png = format === "png" ? readPngHeader(bytes) : undefined;
  const palette = format === "tiff" ? readTiffPalette(bytes) : png?.palette;
  const mode = png?.mode ?? modeOf(meta, palette !== undefined);
  // Left to itself, the library makes 8-bit RGB of everything, of CMYK by a profile.
  if (mode === "CMYK") image = image.pipelineColourspace("cmyk").toColourspace("cmyk");
  if (mode === "L" || mode === "1") image = image.pipelineColourspace("b-w").toColourspace("b-w");
  if (mode === "I;16") image = image.pipelineColourspace("grey16").toColourspace("grey16");
  const { data, info } = await image
    .raw({ depth: mode === "I;16" ? "ushort" : "uchar" })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (mode === "I;16") {
    const samples = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
    const grey = channels === 1 ? samples : samples.filter((_, i) => i % channels === 0);
    return { mode, width, height, data: grey };
  }
  // A plain view: a Buffer behaves otherwise in slice() and in messages between threads.
  const samples = new Uint8Array(data.buffer, data.byteOffset, data.length);
  const pixels = withChannels(samples, channels, channelsOf[mode]);
  return upright({ mode, width, height, data: pixels, ...(palette && { palette }) });
}

/** Leaves a factor of two to the exact resize, and the proportions to the pixel that it would end at. */
function reductionOf(
  { width, height }: { width: number; height: number },
  shortest: number,
): ResizeOptions | undefined {
  const short = Math.min(width, height);
  if (short < 6 * shortest) return undefined;
  const long = 2 * Math.trunc((shortest * Math.max(width, height)) / short);
  const size =
    width <= height ? { width: 2 * shortest, height: long } : { width: long, height: 2 * shortest };
  return { ...size, fit: "fill", kernel: "lanczos3" };
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
