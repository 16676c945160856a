import { perceptualHash } from "../../input/image/index.js";
import type { Fields } from "../../store/index.js";
import { asBroken, pictureRow, type PictureOptions } from "../../train/data/picture-rows.js";
import { pictureShape } from "../../train/data/picture-shape.js";
import type { Broken } from "../../train/data/row-reader.js";
import type { SharedRow } from "../../train/data/decode-pool.js";
import { readExtent } from "../../train/data/sample.js";
import { contentHash, readContent } from "./read-content.js";

/** What the index wants of a file: its content's hash only, or all. */
export interface PictureJob {
  readonly path: string;
  /** Where its pixels go, [3, height, width]; absent: only the hash is wanted. */
  readonly into?: SharedRow;
}

export interface HashedFile {
  readonly hash: string;
}

export interface ReadPicture {
  /** `contentFields`, as far as the file has them. */
  readonly fields: Fields;
}

/** Reads a file once, and takes everything from its bytes. */
export async function readPicture(
  { path, into }: PictureJob,
  options: PictureOptions,
): Promise<HashedFile | ReadPicture | Broken> {
  try {
    const bytes = readExtent({ path, offset: 0 });
    const hash = contentHash(bytes);
    if (into === undefined) return { hash };
    const [row, content] = await Promise.all([
      pictureRow(bytes, options, undefined, into),
      readContent(bytes),
    ]);
    if (!(row instanceof Float32Array)) return row;
    const [, height = 0, width = 0] = pictureShape(options);
    return { fields: { ...content, hash, phash: perceptualHash(row, height, width) } };
  } catch (error) {
    return asBroken(error);
  }
}
