import type { Mode } from "../picture.js";

export interface PngHeader {
  readonly mode: Mode;
  /** [n, 4] colours with alpha. */
  readonly palette?: Uint8Array;
}

/** What a PNG's first chunks say of its pixels, in Pillow's modes; undefined when they cannot be read. */
export function readPngHeader(bytes: Uint8Array): PngHeader | undefined {
  const depth = bytes[24];
  const colour = bytes[25];
  switch (colour) {
    case 0:
      return { mode: depth === 16 ? "I;16" : depth === 1 ? "1" : "L" };
    case 2:
      return { mode: "RGB" };
    case 3:
      return { mode: "P", palette: readPalette(bytes) };
    case 4:
      // Pillow has no mode for grey and alpha of 16 bits: it makes RGBA of it.
      return { mode: depth === 16 ? "RGBA" : "LA" };
    case 6:
      return { mode: "RGBA" };
    default:
      return undefined;
  }
}

function readPalette(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const palette = new Uint8Array(256 * 4);
  for (let i = 3; i < palette.length; i += 4) palette[i] = 255;
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (name === "PLTE")
      for (let i = 0; i < body.length; i++) palette[Math.floor(i / 3) * 4 + (i % 3)] = body[i] ?? 0;
    if (name === "tRNS") body.forEach((alpha, i) => (palette[i * 4 + 3] = alpha));
    if (name === "IDAT" || name === "IEND") break;
    at += 12 + length;
  }
  return palette;
}
