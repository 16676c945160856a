import { CliptError } from "../tensor/index.js";

/** A file of which parts are read: its directory and headers at once, its numbers later. */
export interface Source {
  readonly size: number;
  /** Exactly the bytes from `begin` up to `end`, both within the file. */
  read(begin: number, end: number): Uint8Array;
}

/** A file that is in memory already; what is read is a view. */
export const bytesSource = (bytes: Uint8Array): Source => ({
  size: bytes.length,
  read: (begin, end) => bytes.subarray(begin, end),
});

/**
 * The same bytes as a file of their own, refused politely where they do not exist.
 *
 * @throws `format` when the part is not inside the source
 */
export function readPart(source: Source, begin: number, end: number, what: string): Uint8Array {
  if (!(begin >= 0 && begin <= end && end <= source.size))
    throw new CliptError(
      "format",
      `${what} should lie at bytes ${begin} to ${end} of a file of ${source.size}: it is cut off or damaged.`,
    );
  return source.read(begin, end);
}
