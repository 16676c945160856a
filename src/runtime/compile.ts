import { randomUUID } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, parse, relative, resolve } from "node:path";
import type { Value } from "../graph/index.js";
import { CliptError, messageOf } from "../tensor/index.js";
import { encodeModel } from "./onnx/encode.js";

/** A model ready to be opened. */
export interface Compiled {
  /** The model, or the path of its file. */
  readonly model: Uint8Array | string;
  /** What paths of external files are relative to; absent: they lie beside the model's file. */
  readonly folder?: string;
}

/**
 * Encodes a program and hands it to `use`. Weights that lie in files are mapped from there; large constants of
 * the program itself go through a private temporary file, which is gone when `use` is done.
 *
 * @throws `io` when that file cannot be written
 */
export async function compile<T>(
  outputs: Readonly<Record<string, Value>>,
  use: (model: Compiled) => Promise<T>,
): Promise<T> {
  // ONNX Runtime maps files below one folder only: the root of the file system holds them all.
  const folder = parse(tmpdir()).root;
  const locate = (path: string) => relative(folder, resolve(path));
  const ownPath = join(tmpdir(), `clipt-${randomUUID()}.bin`);
  const { bytes, own } = encodeModel(outputs, { ownFile: locate(ownPath), locate });
  try {
    if (own.length > 0) await write(ownPath, own);
    return await use({ model: bytes, folder });
  } finally {
    if (own.length > 0) await rm(ownPath, { force: true });
  }
}

async function write(path: string, chunks: readonly Uint8Array[]): Promise<void> {
  try {
    const file = await open(path, "wx", 0o600);
    try {
      for (const chunk of chunks) await file.writeFile(chunk);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new CliptError(
      "io",
      `A temporary file for the model's weights could not be written: ${messageOf(cause)}`,
      { cause },
    );
  }
}
