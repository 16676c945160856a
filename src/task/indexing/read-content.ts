import { createHash } from "node:crypto";
import exifr from "exifr";
import { exifBlock, describePicture } from "../../input/image/index.js";
import type { Fields, FieldValue } from "../../store/index.js";

/** SHA-256, in hexadecimal. */
export const contentHash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** What the bytes of a picture say of it; what cannot be read is absent. */
export async function readContent(bytes: Uint8Array): Promise<Fields> {
  // Broken files are named when they are decoded.
  const [exif, shape] = await Promise.all([readExif(bytes), describePicture(bytes).catch(() => ({}))]);
  return present({ ...shape, ...exif });
}

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
