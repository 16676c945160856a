import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { CliptError, readError } from "../tensor/index.js";
import { readSignature, type OnnxSignature } from "./onnx/signature.js";

/** An ONNX file that was looked through: it reads no file but those below its own folder. */
export interface OnnxFile extends Pick<OnnxSignature, "inputs" | "outputs"> {
  readonly path: string;
  /** SHA-256 of the file and those beside it, in hexadecimal digits. */
  readonly digest: string;
}

/**
 * Looks through an ONNX file before it is run.
 *
 * @throws `missing`, `io`; `format` when it is no ONNX model or wants files from outside of its folder
 */
export async function inspectOnnx(path: string): Promise<OnnxFile> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw readError(path, cause);
  });
  const { inputs, outputs, external } = located(path, () => readSignature(bytes));
  const hash = createHash("sha256").update(bytes);
  const ends = new Map<string, number>();
  for (const { location, end } of external) ends.set(location, Math.max(end, ends.get(location) ?? 0));
  for (const name of [...ends.keys()].sort()) {
    const beside = await insideOf(path, name);
    const { size } = await stat(beside);
    // What is mapped beyond the end of its file would end the process.
    if (!(ends.get(name)! <= size))
      throw new CliptError(
        "format",
        `${path} wants ${ends.get(name)} bytes of ${JSON.stringify(name)}, which has ${size}.`,
      );
    await pipeline(createReadStream(beside), hash, { end: false });
  }
  return { path, inputs, outputs, digest: hash.digest("hex") };
}

/** ONNX Runtime's own word for "at this address of the memory". */
const memory = "_ORT_MEM_ADDR_";

/**
 * The path of external data below the model's own folder. Links are followed there, and where a cache keeps the model
 * itself: in a cache every file is a link to a folder of contents.
 */
async function insideOf(path: string, name: string): Promise<string> {
  const parts = name.split(/[/\\]/);
  const refused = new CliptError(
    "format",
    `${path} wants its weights from ${JSON.stringify(head(name))}; only files of its own folder are read.`,
  );
  if (
    name === "" ||
    isAbsolute(name) ||
    /^[A-Za-z]:/.test(name) ||
    parts.includes("..") ||
    parts.includes(memory) ||
    name.includes("\0")
  )
    throw refused;
  const beside = join(dirname(path), name);
  try {
    const target = await realpath(beside);
    const folders = [await realpath(dirname(path)), dirname(await realpath(path))];
    if (folders.some((folder) => target.startsWith(folder + sep))) return beside;
  } catch (cause) {
    throw readError(beside, cause);
  }
  throw refused;
}

const head = (name: string): string => (name.length > 80 ? `${name.slice(0, 80)}…` : name);

function located<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof CliptError)
      throw new CliptError(error.code, `${path}: ${error.message}`, { cause: error });
    throw error;
  }
}
