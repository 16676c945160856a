import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { CliptError, readError } from "../../tensor/index.js";

/** Where bytes lie, without holding them; small enough to send to a worker. No size means: to the file's end. */
export interface Extent {
  readonly path: string;
  readonly offset: number;
  readonly size?: number;
}

export interface Caption {
  readonly text: string;
  /** BCP 47 tag ("en", "ru"); absent when the data doesn't say. */
  readonly language?: string;
}

/** One picture with what is said about it. The picture stays on disk until it is decoded. */
export interface Sample {
  readonly key: string;
  /** Name of the shard it came from: a file or folder. */
  readonly shard: string;
  readonly image: Extent;
  /** Without repeats and without empty texts; may be empty. */
  readonly captions: readonly Caption[];
  readonly label?: number;
  /** Name of its class where the source itself knows it: the folder that it lies in. */
  readonly className?: string;
}

/** File endings that count as pictures. */
export const isPicture = (name: string): boolean =>
  /\.(jpe?g|png|webp|gif|bmp|tiff?|avif|hei[cf]|cr[23]|nef|nrw|arw|dng|orf|rw2|raf|pef|srw)$/i.test(name);

/** Of one picture: more than the largest that is decoded can fill, uncompressed. */
const mostBytes = 2 ** 30;

/**
 * The bytes of an extent.
 * Reads synchronously: it runs in decode workers, where three asynchronous calls cost more than a small read.
 *
 * @throws `missing` when the file is not there, `io` when it cannot be read, `format` when it ends too early,
 *         `input` when it is larger than any picture
 */
export function readExtent({ path, offset, size }: Extent): Uint8Array<ArrayBuffer> {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    const length = size ?? fstatSync(file).size - offset;
    if (length > mostBytes)
      throw new CliptError(
        "input",
        `${path} has ${length} bytes; pictures of at most ${mostBytes} are read.`,
      );
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < bytes.length) {
      const read = readSync(file, bytes, filled, bytes.length - filled, offset + filled);
      if (read === 0)
        throw new CliptError("format", `${path} ends at byte ${offset + filled}, inside of a picture.`);
      filled += read;
    }
    return bytes;
  } catch (error) {
    throw readError(path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Captions without surrounding space, empty ones and repeats. */
export function captionsOf(texts: readonly string[], language?: string): Caption[] {
  const unique = new Set(texts.map((text) => text.trim()).filter((text) => text !== ""));
  return Array.from(unique, (text) => (language === undefined ? { text } : { text, language }));
}
