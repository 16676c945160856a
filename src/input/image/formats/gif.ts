import { CliptError } from "../../../tensor/index.js";
import type { BytePicture } from "../picture.js";
import { indexed } from "./indexed.js";

/**
 * The first frame of a GIF, as Pillow gives it: mode P, or L when the palette is a grey ramp. Transparent pixels keep
 * their palette's colour, which a decoder to RGBA would lose.
 *
 * @throws `input` when the file ends early or breaks the format
 * @source GIF89a specification, CompuServe 1990
 */
export function decodeGif(bytes: Uint8Array, check: (width: number, height: number) => void): BytePicture {
  const reader = new Reader(bytes);
  reader.skip(6);
  const screen = { width: reader.u16(), height: reader.u16() };
  const flags = reader.u8();
  reader.skip(2);
  const globalPalette = (flags & 128) !== 0 ? reader.take(3 << ((flags & 7) + 1)) : undefined;

  let transparent: number | undefined;
  for (;;) {
    const block = reader.u8();
    if (block === 0x21) {
      const kind = reader.u8();
      const data = reader.blocks();
      if (kind === 0xf9 && ((data[0] ?? 0) & 1) !== 0) transparent = data[3];
    } else if (block === 0x2c) break;
    else if (block === 0x3b) throw new CliptError("input", "The GIF holds no picture.");
  }
  const frame = { left: reader.u16(), top: reader.u16(), width: reader.u16(), height: reader.u16() };
  // A frame that leaves the screen widens it.
  const width = Math.max(screen.width, frame.left + frame.width);
  const height = Math.max(screen.height, frame.top + frame.height);
  check(width, height);
  const local = reader.u8();
  const palette = (local & 128) !== 0 ? reader.take(3 << ((local & 7) + 1)) : globalPalette;
  const codeBits = reader.u8();
  const pixels = inflate(reader.blocks(true), codeBits, frame.width * frame.height);

  const indices = new Uint8Array(width * height).fill(transparent ?? 0);
  const rows = (local & 64) !== 0 ? interlaced(frame.height) : undefined;
  for (let y = 0; y < frame.height; y++) {
    const at = (frame.top + (rows?.[y] ?? y)) * width + frame.left;
    indices.set(pixels.subarray(y * frame.width, (y + 1) * frame.width), at);
  }
  if (palette === undefined || isGreyRamp(palette)) return { mode: "L", width, height, data: indices };
  const colours = new Uint8Array(256 * 4);
  for (let i = 0; i < 256; i++) {
    colours.set(palette.subarray(i * 3, i * 3 + 3), i * 4);
    colours[i * 4 + 3] = i === transparent ? 0 : 255;
  }
  return indexed(width, height, indices, colours);
}

const isGreyRamp = (palette: Uint8Array): boolean => palette.every((value, i) => value === Math.floor(i / 3));

/** Row of the picture for each row of an interlaced frame. */
function interlaced(height: number): number[] {
  const rows: number[] = [];
  for (const [first, step] of [
    [0, 8],
    [4, 8],
    [2, 4],
    [1, 2],
  ] as const)
    for (let y = first; y < height; y += step) rows.push(y);
  return rows;
}

/** Variable-length LZW: codes grow from `bits + 1` to 12 bits. */
function inflate(data: Uint8Array, bits: number, size: number): Uint8Array {
  if (bits < 1 || bits > 11)
    throw new CliptError("input", `The GIF's code size of ${bits} bits is not valid.`);
  const clear = 1 << bits;
  const prefix = new Uint16Array(4096);
  const suffix = new Uint8Array(4096);
  const stack = new Uint8Array(4097);
  for (let i = 0; i < clear; i++) suffix[i] = i;
  const out = new Uint8Array(size);
  let [at, held, heldBits, width, next] = [0, 0, 0, bits + 1, clear + 2];
  let previous = -1;
  let first = 0;
  let written = 0;
  while (written < size) {
    while (heldBits < width) {
      if (at >= data.length)
        throw new CliptError("input", `The GIF is truncated: ${written} of ${size} pixels are there.`);
      held |= (data[at++] ?? 0) << heldBits;
      heldBits += 8;
    }
    const code = held & ((1 << width) - 1);
    held >>= width;
    heldBits -= width;
    if (code === clear) {
      [width, next, previous] = [bits + 1, clear + 2, -1];
      continue;
    }
    if (code === clear + 1) throw new CliptError("input", `The GIF ends after ${written} of ${size} pixels.`);
    if (code > next || (code === next && previous < 0))
      throw new CliptError("input", "The GIF's compressed data is broken.");
    let depth = 0;
    let walk = code;
    if (code === next) {
      stack[depth++] = first;
      walk = previous;
    }
    while (walk >= clear + 2) {
      stack[depth++] = suffix[walk] ?? 0;
      walk = prefix[walk] ?? 0;
    }
    first = suffix[walk] ?? 0;
    stack[depth++] = first;
    while (depth > 0 && written < size) out[written++] = stack[--depth] ?? 0;
    if (previous >= 0 && next < 4096) {
      prefix[next] = previous;
      suffix[next] = first;
      next++;
      if (next === 1 << width && width < 12) width++;
    }
    previous = code;
  }
  return out;
}

class Reader {
  private at = 0;
  constructor(private readonly bytes: Uint8Array) {}
  take(n: number): Uint8Array {
    if (this.at + n > this.bytes.length) throw new CliptError("input", "The GIF is truncated.");
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }
  skip(n: number): void {
    this.take(n);
  }
  u8(): number {
    return this.take(1)[0] ?? 0;
  }
  u16(): number {
    const [low = 0, high = 0] = this.take(2);
    return low | (high << 8);
  }
  /** Sub-blocks joined; with `toEnd`, the file may end before the last one's terminator. */
  blocks(toEnd = false): Uint8Array {
    const parts: Uint8Array[] = [];
    for (;;) {
      if (toEnd && this.at >= this.bytes.length) break;
      const n = this.u8();
      if (n === 0) break;
      parts.push(this.take(toEnd ? Math.min(n, this.bytes.length - this.at) : n));
    }
    const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }
}
