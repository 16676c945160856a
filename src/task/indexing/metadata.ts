import { createHash } from "node:crypto";
import { basename } from "node:path";
import exifr from "exifr";
import { exifBlock, describePicture } from "../../input/image/index.js";
import type { Fields, FieldType, FieldValue } from "../../store/index.js";
import type { PictureFile } from "../picture-file.js";

/** What is known of every indexed picture, as far as its file says it. */
export const pictureFields = {
  path: "text",
  folder: "text",
  name: "text",
  hash: "text",
  phash: "text",
  size: "number",
  modified: "date",
  indexed: "date",
  width: "number",
  height: "number",
  format: "text",
  taken: "date",
  camera: "text",
  lens: "text",
  latitude: "number",
  longitude: "number",
} as const satisfies Readonly<Record<string, FieldType>>;

/** Fields that follow from the content: equal files have equal ones. */
export const contentFields = [
  "hash",
  "phash",
  "width",
  "height",
  "format",
  "taken",
  "camera",
  "lens",
  "latitude",
  "longitude",
] as const satisfies readonly (keyof typeof pictureFields)[];

/** SHA-256, in hexadecimal. */
export const contentHash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** What the bytes of a picture say of it; what cannot be read is absent. */
export async function readContent(bytes: Uint8Array): Promise<Fields> {
  // Broken files are named when they are decoded.
  const [exif, shape] = await Promise.all([readExif(bytes), describePicture(bytes).catch(() => ({}))]);
  return present({ ...shape, ...exif });
}

/** What the file system says of a picture. */
export const fileFields = (file: PictureFile, folder: string): Fields => ({
  path: file.path,
  folder,
  name: basename(file.path),
  size: file.size,
  modified: Math.round(file.mtimeMs),
  indexed: Date.now(),
});

/** One object for all: the library keeps what it derives from each that it is given, for ever. */
const wantedTags = {
  pick: ["DateTimeOriginal", "CreateDate", "Make", "Model", "LensModel", "GPSLatitude", "GPSLongitude"],
  reviveValues: true,
};

async function readExif(bytes: Uint8Array): Promise<Record<string, FieldValue | undefined>> {
  try {
    const exif = (await exifr.parse(exifBlock(bytes), wantedTags)) as Record<string, unknown> | undefined;
    if (exif === undefined) return {};
    const taken = exif.DateTimeOriginal ?? exif.CreateDate;
    return {
      // Cameras write local time without its zone: the clock's face is what counts.
      taken: taken instanceof Date ? clockTime(taken) : undefined,
      camera: cameraName(exif.Make, exif.Model),
      lens: textOf(exif.LensModel),
      latitude: numberOf(exif.latitude),
      longitude: numberOf(exif.longitude),
    };
  } catch {
    return {};
  }
}

const clockTime = (date: Date): number | undefined => {
  const time = date.getTime() - date.getTimezoneOffset() * 60_000;
  return Number.isFinite(time) ? time : undefined;
};

/** "NIKON CORPORATION", "NIKON D90" → "NIKON D90"; "Canon", "EOS 5D" → "Canon EOS 5D". */
function cameraName(make: unknown, model: unknown): string | undefined {
  const [maker, name] = [textOf(make), textOf(model)];
  if (maker === undefined || name === undefined) return name ?? maker;
  const first = maker.split(" ")[0]!.toLowerCase();
  return name.toLowerCase().startsWith(first) ? name : `${maker} ${name}`;
}

function textOf(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const text = value.replaceAll("\0", "").trim();
  return text === "" ? undefined : text;
}

const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined;

const present = (fields: Readonly<Record<string, FieldValue | undefined>>): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields;
