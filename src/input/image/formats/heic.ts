import { sniff } from "./sniff.js";
import { rgbPicture, type Picture } from "../picture.js";

/**
 * HEIC by libheif, as WebAssembly; of several pictures the first. The file's own turns belong to its layout and are applied
 * always, and EXIF's orientation never, as the format's standard has it.
 *
 * @param check is called with the size before anything is decoded
 * @throws      libheif's own errors
 */
export async function decodeHeic(
  bytes: Uint8Array,
  check: (width: number, height: number) => void,
): Promise<Picture> {
  const { default: heic } = await import("heic-decode");
  const pictures = await heic.all({ buffer: bytes });
  try {
    const [first] = pictures;
    if (first === undefined) throw new Error("no picture in it");
    const { width, height } = first;
    check(width, height);
    const { data } = await first.decode();
    const rgb = new Uint8Array(3 * width * height);
    for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
      rgb[to] = data[from]!;
      rgb[to + 1] = data[from + 1]!;
      rgb[to + 2] = data[from + 2]!;
    }
    return rgbPicture(width, height, rgb);
  } finally {
    pictures.dispose();
  }
}

/** The TIFF block with the camera's data; undefined where there is none, and for other formats. */
export function heicExif(bytes: Uint8Array): Uint8Array | undefined {
  if (sniff(bytes) !== "heic") return undefined;
  const marks = [0x4d4d002a, 0x49492a00];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // "Exif", two zeros, and TIFF's first four bytes.
  for (let at = 0; at + 10 <= bytes.length; at++)
    if (bytes[at] === 0x45 && view.getUint32(at) === 0x45786966 && marks.includes(view.getUint32(at + 6)))
      return bytes.subarray(at + 6);
  return undefined;
}
