import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CliptError, messageOf, readError } from "../tensor/index.js";

/** The bytes of a file; undefined when it is not there. @throws `io` for any other trouble */
export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
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
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new CliptError("format", `${path} cannot be read as JSON: ${messageOf(cause)}.`, { cause });
  }
}
