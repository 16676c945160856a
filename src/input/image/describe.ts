import { heicExif } from "./formats/heic.js";
import { rawExif, rawPreview } from "./formats/raw-preview.js";
import { sniff } from "./formats/sniff.js";
import { pictureMetadata } from "./library.js";

export interface PictureShape {
  readonly format: string;
  readonly width: number;
  readonly height: number;
}

/**
 * What a picture is and how large, as it is seen: sides of a turned one are exchanged. Of a raw file, its preview.
 *
 * @throws libvips' own errors, for formats that it does not know (BMP) as well
 */
export async function describePicture(bytes: Uint8Array): Promise<PictureShape> {
  const raw = sniff(bytes) === "raw" ? rawPreview(bytes) : undefined;
  const meta = await pictureMetadata(raw?.jpeg ?? bytes);
  const { width, height, compression } = meta;
  if (meta.format === "heif") return { format: compression === "av1" ? "avif" : "heic", width, height };
  const format = raw === undefined ? meta.format : "raw";
  return (meta.orientation ?? raw?.orientation ?? 1) > 4
    ? { format, width: height, height: width }
    : { format, width, height };
}

/** The bytes in which readers of EXIF find what the camera wrote. */
export const exifBlock = (bytes: Uint8Array): Uint8Array =>
  heicExif(bytes) ?? (sniff(bytes) === "raw" ? rawExif(bytes) : bytes);
