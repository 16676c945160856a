import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { CliptError, messageOf, readError } from "../../tensor/index.js";

/** A file as a stream of bytes, unpacked when its name ends in .gz. Its errors come out of the stream. */
export function openText(path: string): Readable {
  const file = createReadStream(path);
  // The callback is there because pipeline wants one; the error itself travels through the stream.
  return path.endsWith(".gz") ? pipeline(file, createGunzip(), () => {}) : file;
}

/** A packed file of zeros would grow to any length. */
const longestLine = 2 ** 24;

/**
 * The lines of a text file with their numbers from 1; empty ones are left out.
 *
 * @throws `missing`, `io`
 */
export async function* numberedLines(path: string): AsyncGenerator<{ line: string; number: number }> {
  let number = 0;
  const numbered = (text: string) => ({ line: text.replace(/\r$/, ""), number: ++number });
  try {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of openText(path) as AsyncIterable<Uint8Array>) {
      // Only the new part is looked through: a long line comes in many.
      const lines = decoder.decode(chunk, { stream: true }).split("\n");
      lines[0] = rest + lines[0]!;
      rest = lines.pop()!;
      if (rest.length > longestLine)
        throw new CliptError(
          "format",
          `${path}: line ${number + lines.length + 1} has more than ${longestLine} letters.`,
        );
      yield* lines.map(numbered).filter(({ line }) => line.trim() !== "");
    }
    if (rest.trim() !== "") yield numbered(rest);
  } catch (error) {
    throw readError(path, error);
  }
}

/** A whole text file, without its byte order mark. @throws `missing`, `io` */
export async function readText(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw readError(path, error);
  });
  return text.replace(/^\uFEFF/, "");
}

/** The lines of a text file without the empty ones. @throws `missing`, `io` */
export const readLines = async (path: string): Promise<string[]> =>
  (await readText(path)).split(/\r?\n/).filter((line) => line.trim() !== "");

/** Strings are matched to be passed over: a text may say NaN. */
const stringOrNaN = /"(?:[^"\\]|\\.)*"|\bNaN\b|-?\bInfinity\b/g;

/** A JSON file; the NaN and Infinity that Python writes into some are null. @throws `missing`, `io`, `format` */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  try {
    return JSON.parse(text.replace(stringOrNaN, (all) => (all.startsWith('"') ? all : "null")));
  } catch (cause) {
    throw new CliptError("format", `${path} is not JSON: ${messageOf(cause)}`, { cause });
  }
}
