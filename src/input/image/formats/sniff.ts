import { isRaw } from "./raw-preview.js";

/** "raw": a camera's own file, of whatever maker. */
export type Format = "jpeg" | "png" | "webp" | "gif" | "tiff" | "bmp" | "avif" | "heic" | "raw";

/** The formats, for whoever is told that something is none of them. */
export const formatNames =
  "JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF, HEIC and cameras' raw files (their previews)";

const ascii = (bytes: Uint8Array, from: number, to: number): string =>
  String.fromCharCode(...bytes.subarray(from, to));

/** The picture format that the first bytes announce, of a TIFF also its directories; undefined when it is none that we know. */
export function sniff(bytes: Uint8Array): Format | undefined {
  const [a, b, c] = bytes;
  if (a === 0xff && b === 0xd8 && c === 0xff) return "jpeg";
  if (ascii(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") return "png";
  if (ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 12) === "WEBP") return "webp";
  if (/^GIF8[79]a/.test(ascii(bytes, 0, 6))) return "gif";
  if (isRaw(bytes)) return "raw";
  if (/^(II[*+]\0|MM\0[*+])/.test(ascii(bytes, 0, 4))) return "tiff";
  if (ascii(bytes, 0, 2) === "BM" && bytes.length > 26) return "bmp";
  if (ascii(bytes, 4, 8) === "ftyp") {
    const brands = ascii(bytes, 8, 64);
    if (/avif|avis/.test(brands)) return "avif";
    if (/hei[cxsm]|hev[cx]|mif1|msf1/.test(brands)) return "heic";
  }
  return undefined;
}

/** The first bytes as a person can recognise them: `'hello wor'`, `hex 00 01 02 …`. */
export function showHead(bytes: Uint8Array): string {
  const head = bytes.subarray(0, 9);
  return head.every((byte) => byte >= 32 && byte < 127)
    ? `'${String.fromCharCode(...head)}'`
    : `hex ${Array.from(head, (byte) => byte.toString(16).padStart(2, "0")).join(" ")}`;
}
