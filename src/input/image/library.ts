import sharp, { type Metadata } from "sharp";
import { readPngHeader } from "./formats/png.js";
import type { Format } from "./formats/sniff.js";
import { readTiffPalette } from "./formats/tiff.js";
import { decodeQuarter } from "./jpeg/quarter.js";
import type { Size } from "./jpeg/shrink.js";
import { channelsOf, type Mode, type Picture } from "./picture.js";
import type { Interpolation } from "./resize/coefficients.js";
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

/** See `DecodeOptions`. */
interface LibraryOptions {
  readonly orient: boolean;
  readonly shortest: number | undefined;
  readonly interpolation: Interpolation | undefined;
  readonly stretched: Size | undefined;
  /** What is said of a picture that says nothing itself. */
  readonly orientation?: number | undefined;
}

/**
 * Decodes by libvips, with its conveniences off: no profile, no colour space but the file's own.
 *
 * @param check    is called with the size before anything is decoded
 * @throws         libvips' own errors
 */
export async function decodeByLibrary(
  bytes: Uint8Array,
  format: Format,
  check: (width: number, height: number, isReduced: boolean) => void,
  { orient, shortest, interpolation, stretched, orientation: otherwise }: LibraryOptions,
): Promise<Picture> {
  let image = sharp(bytes, { ...reading, ignoreIcc: true });
  const meta = await pictureMetadata(bytes);
  const reducible =
    format === "jpeg" && shortest !== undefined && Math.min(meta.width, meta.height) >= 6 * shortest;
  const reduction = reducible ? scaledTo(shortest, meta, 2) : undefined;
  check(meta.width, meta.height, reducible);

  const orientation = orient ? (meta.orientation ?? otherwise ?? 1) : 1;
  const upright = (picture: Picture): Picture =>
    reducible || meta.orientation === undefined ? turned(picture, orientation) : picture;
  if (
    reducible &&
    Math.min(meta.width, meta.height) >= leastForQuarter * shortest &&
    interpolation !== "nearest"
  ) {
    const final = stretched ? asStored(stretched, orientation) : scaledTo(shortest, meta, 1);
    const size = interpolation === undefined ? reduction! : final;
    const reduced = decodeQuarter(bytes, size, interpolation ?? "bicubic");
    if (reduced !== undefined) return upright(reduced);
  }

  if (reduction !== undefined) image = image.resize({ ...reduction, fit: "fill", kernel: "lanczos3" });
  // TIFF's orientation belongs to its layout: Pillow applies that one always.
  // A JPEG that is turned first is not reduced while it is decoded: those are turned afterwards.
  else if ((orient || format === "tiff") && (meta.orientation ?? 1) !== 1) image = image.autoOrient();

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

/** Below that, a quarter of the size is too little to be scaled down from: a trial had twice the error that the library's half has. */
const leastForQuarter = 10;

/** The size of an upright picture before it is turned. */
const asStored = ({ width, height }: Size, orientation: number): Size =>
  orientation >= 5 && orientation <= 8 ? { width: height, height: width } : { width, height };

/** A multiple of the size at which a picture ends, to the pixel, when its shortest side becomes `shortest`. */
function scaledTo(shortest: number, { width, height }: Size, times: number): Size {
  const long = times * Math.trunc((shortest * Math.max(width, height)) / Math.min(width, height));
  const short = times * shortest;
  return width <= height ? { width: short, height: long } : { width: long, height: short };
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
