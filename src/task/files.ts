import { readFile } from "node:fs/promises";
import { CliptError, messageOf, type Tensor } from "../tensor/index.js";
import { readError } from "../train/data/sample.js";
import { openWeights } from "../weights/index.js";

/** @throws `missing`, `io` */
export async function readText(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw readError(path, error);
  });
  return text.replace(/^\uFEFF/, "");
}

/** The lines of a text file without the empty ones. @throws `missing`, `io` */
export const readLines = async (path: string): Promise<string[]> =>
  (await readText(path)).split(/\r?\n/).filter((line) => line.trim() !== "");

/** @throws `missing`, `io`, `format` */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CliptError("format", `${path} is not JSON: ${messageOf(cause)}`, { cause });
  }
}

/** All tensors of a file of weights. @throws `missing`, `format`, `io` */
export async function readTensors(path: string): Promise<Map<string, Tensor>> {
  const file = await openWeights(path);
  try {
    const tensors = new Map<string, Tensor>();
    for (const name of file.names()) tensors.set(name, await file.read(name));
    return tensors;
  } finally {
    await file.close();
  }
}
