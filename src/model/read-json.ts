import { open } from "node:fs/promises";
import { join } from "node:path";
import { CliptError, parseJson, readError } from "../tensor/index.js";

/** Bytes of a file beside weights: the greatest, a vocabulary of 250,000 pieces with its merges, has 35 MB. */
const most = 2 ** 28;

/**
 * The bytes of a file; undefined when it is not there.
 *
 * @throws `format` when it is larger than any such file, `io` for any other trouble
 */
export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    const file = await open(path);
    try {
      const info = await file.stat();
      const { size } = info;
      // What is no file may never end.
      if (!info.isFile()) throw new CliptError("io", `${path} is not a file.`);
      if (size > most)
        throw new CliptError("format", `${path} has ${size} bytes; at most ${most} are read of such a file.`);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (["ENOENT", "ENOTDIR"].includes((cause as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw readError(path, cause);
  }
}

/** A file of a folder, parsed; undefined when it is not there. @throws `format` when it is not JSON, `io` */
export async function readJson(folder: string, name: string): Promise<unknown> {
  const path = join(folder, name);
  const bytes = await readIfThere(path);
  if (bytes === undefined) return undefined;
  return parseJson(new TextDecoder().decode(bytes), path);
}
