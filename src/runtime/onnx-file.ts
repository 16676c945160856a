import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
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
  for (const name of [...external].sort()) {
    const beside = insideOf(path, name);
    await stat(beside).catch((cause: unknown) => {
      throw readError(beside, cause);
    });
    await pipeline(createReadStream(beside), hash, { end: false });
  }
  return { path, inputs, outputs, digest: hash.digest("hex") };
}

/** The path of external data. Links are followed, as in a cache where every file is one: no download makes any. */
function insideOf(path: string, name: string): string {
  const parts = name.split(/[/\\]/);
  if (
    name !== "" &&
    !isAbsolute(name) &&
    !/^[A-Za-z]:/.test(name) &&
    !parts.includes("..") &&
    !name.includes("\0")
  )
    return join(dirname(path), name);
  throw new CliptError(
    "format",
    `${path} wants its weights from ${JSON.stringify(name)}; only files of its own folder are read.`,
  );
}

function located<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof CliptError)
      throw new CliptError(error.code, `${path}: ${error.message}`, { cause: error });
    throw error;
  }
}
