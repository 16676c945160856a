import { CliptError } from "../../../tensor/index.js";
import type { BytePicture, ByteMode } from "../picture.js";
import { indexed } from "./indexed.js";

interface Layout {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  readonly compression: number;
  /** First row of the file is the top one. */
  readonly topDown: boolean;
  /** Where the pixels begin. */
  readonly offset: number;
  readonly palette: Uint8Array | undefined;
  readonly masks: readonly number[];
}

const uncompressed = 0;
const rle8 = 1;
const rle4 = 2;
const bitFields = 3;

/**
 * Windows bitmaps of 1, 4, 8, 16, 24 and 32 bits, run lengths included, in the modes that Pillow gives them:
 * a grey palette makes "1" or "L", any other "P"; the fourth byte is alpha only where a mask says so.
 *
 * @throws `input` when the file ends early, `unsupported` for other layouts
 */
export function decodeBmp(bytes: Uint8Array, check: (width: number, height: number) => void): BytePicture {
  const layout = readLayout(bytes);
  check(layout.width, layout.height);
  const { width, height, bits } = layout;
  const palette = layout.palette;
  if (palette !== undefined) {
    const run = layout.compression === rle8 || layout.compression === rle4;
    const indices = run ? runLengths(bytes, layout) : packedIndices(bytes, layout);
    const grey = greyMode(palette);
    if (grey === "1") return { mode: "1", width, height, data: indices.map((bit) => (bit !== 0 ? 255 : 0)) };
    return grey === "L"
      ? { mode: "L", width, height, data: indices }
      : indexed(width, height, indices, palette);
  }
  const [red = 0, green = 0, blue = 0, alpha = 0] = layout.masks;
  const samples = [red, green, blue, ...(alpha !== 0 ? [alpha] : [])].map(sampleOf);
  const mode: ByteMode = alpha !== 0 ? "RGBA" : "RGB";
  const data = new Uint8Array(width * height * samples.length);
  const size = bits / 8;
  const rows = rowsOf(bytes, layout);
  let at = 0;
  for (let y = 0; y < height; y++) {
    const row = rows(y);
    for (let x = 0; x < width; x++) {
      let word = 0;
      for (let i = 0; i < size; i++) word |= (row[x * size + i] ?? 0) << (8 * i);
      for (const sample of samples) data[at++] = sample(word);
    }
  }
  return { mode, width, height, data };
}

/** Reads the bits of a mask as a value from 0 to 255, rounded down as Pillow's 15- and 16-bit unpackers do. */
function sampleOf(mask: number): (word: number) => number {
  const shift = 31 - Math.clz32(mask & -mask);
  const largest = mask >>> shift;
  return largest === 255
    ? (word) => (word >>> shift) & 255
    : (word) => Math.trunc((((word & mask) >>> shift) * 255) / largest);
}

function readLayout(bytes: Uint8Array): Layout {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const need = (size: number) => {
    if (bytes.length < size)
      throw new CliptError("input", `The BMP is truncated: ${bytes.length} of at least ${size} bytes.`);
  };
  need(26);
  const header = view.getUint32(14, true);
  need(14 + header);
  const old = header === 12;
  if (!old && ![40, 52, 56, 64, 108, 124].includes(header))
    throw new CliptError("unsupported", `A BMP with a header of ${header} bytes cannot be read.`);
  const width = old ? view.getUint16(18, true) : view.getInt32(18, true);
  const signedHeight = old ? view.getUint16(20, true) : view.getInt32(22, true);
  const bits = view.getUint16(old ? 24 : 28, true);
  const compression = old ? uncompressed : view.getUint32(30, true);
  if (![1, 4, 8, 16, 24, 32].includes(bits) || compression > bitFields)
    throw new CliptError("unsupported", `A BMP of ${bits} bits, compression ${compression}, cannot be read.`);

  let after = 14 + header;
  let masks = bits === 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff];
  if (compression === bitFields) {
    need(66);
    masks = [54, 58, 62].map((at) => view.getUint32(at, true));
    if (header >= 56) masks.push(view.getUint32(66, true));
    if (header === 40) after += 12;
    // Pillow reads four empty masks as blue, green, red, alpha.
    if (masks.every((mask) => mask === 0)) masks = [0xff0000, 0xff00, 0xff, 0xff000000];
  }
  const entry = old ? 3 : 4;
  const colours = bits > 8 ? 0 : (old ? 0 : view.getUint32(46, true)) || 1 << bits;
  if (colours > 256)
    throw new CliptError("unsupported", `A BMP with a palette of ${colours} colours cannot be read.`);
  need(after + colours * entry);
  let palette: Uint8Array | undefined;
  if (bits <= 8) {
    palette = new Uint8Array(colours * 4);
    for (let i = 0; i < colours; i++) {
      const at = after + i * entry;
      palette.set([bytes[at + 2] ?? 0, bytes[at + 1] ?? 0, bytes[at] ?? 0, 255], i * 4);
    }
  }
  return {
    width,
    height: Math.abs(signedHeight),
    bits,
    compression,
    topDown: signedHeight < 0,
    offset: view.getUint32(10, true) || after + colours * entry,
    palette,
    masks,
  };
}

/** "1" or "L" for a palette of greys in order, which Pillow drops. */
function greyMode(palette: Uint8Array): "1" | "L" | undefined {
  const n = palette.length / 4;
  for (let i = 0; i < n; i++) {
    const value = n === 2 ? i * 255 : i;
    for (let c = 0; c < 3; c++) if (palette[i * 4 + c] !== value) return undefined;
  }
  return n <= 2 ? "1" : "L";
}

/** Rows from the top, each padded to four bytes in the file. */
function rowsOf(bytes: Uint8Array, layout: Layout): (y: number) => Uint8Array {
  const { width, height, bits, offset, topDown } = layout;
  const stride = Math.ceil((width * bits) / 32) * 4;
  const last = offset + stride * (height - 1) + Math.ceil((width * bits) / 8);
  if (last > bytes.length)
    throw new CliptError("input", `The BMP is truncated: ${bytes.length} of ${last} bytes.`);
  return (y) => bytes.subarray(offset + (topDown ? y : height - 1 - y) * stride);
}

function packedIndices(bytes: Uint8Array, layout: Layout): Uint8Array {
  const { width, height, bits } = layout;
  const rows = rowsOf(bytes, layout);
  const mask = (1 << bits) - 1;
  const result = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = rows(y);
    for (let x = 0; x < width; x++) {
      const at = x * bits;
      result[y * width + x] = ((row[at >> 3] ?? 0) >> (8 - bits - (at & 7))) & mask;
    }
  }
  return result;
}

function runLengths(bytes: Uint8Array, layout: Layout): Uint8Array {
  const { width, height, offset, topDown } = layout;
  const four = layout.compression === rle4;
  const result = new Uint8Array(width * height);
  let [at, x, y] = [offset, 0, 0];
  const put = (value: number) => {
    if (x < width && y < height) result[(topDown ? y : height - 1 - y) * width + x++] = value;
  };
  const nibble = (byte: number, i: number) => (four ? (i % 2 === 0 ? byte >> 4 : byte & 15) : byte);
  while (y < height) {
    if (at + 2 > bytes.length)
      throw new CliptError("input", `The BMP is truncated in row ${y} of ${height}.`);
    const count = bytes[at] ?? 0;
    const value = bytes[at + 1] ?? 0;
    at += 2;
    if (count > 0) for (let i = 0; i < count; i++) put(nibble(value, i));
    else if (value === 0) [x, y] = [0, y + 1];
    else if (value === 1) break;
    else if (value === 2) {
      x += bytes[at] ?? 0;
      y += bytes[at + 1] ?? 0;
      at += 2;
    } else {
      for (let i = 0; i < value; i++) put(nibble(bytes[at + (four ? i >> 1 : i)] ?? 0, i));
      const size = four ? (value + 1) >> 1 : value;
      at += size + (size & 1);
    }
  }
  return result;
}
