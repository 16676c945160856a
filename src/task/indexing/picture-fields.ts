import { basename } from "node:path";
import type { Fields, FieldType } from "../../store/index.js";
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

/** What the file system says of a picture. */
export const fileFields = (file: PictureFile, folder: string): Fields => ({
  path: file.path,
  folder,
  name: basename(file.path),
  size: file.size,
  modified: Math.round(file.mtimeMs),
  indexed: Date.now(),
});
