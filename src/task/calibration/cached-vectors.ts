import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf, toFloat32, type Tensor } from "../../tensor/index.js";
import { openWeights, saveSafetensors } from "../../weights/index.js";
import type { Context } from "../task.js";

/** Vectors that were computed before; undefined when they are not there or cannot be read: they are computed again. */
export async function readCachedVectors(
  path: string,
): Promise<{ vectors: Tensor<"float32">; metadata: Readonly<Record<string, string>> } | undefined> {
  try {
    const file = await openWeights(path);
    try {
      return { vectors: toFloat32(await file.read("vectors")), metadata: file.metadata };
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

/** Keeps vectors for the next time; where that cannot be, it warns. */
export async function keepCachedVectors(
  path: string,
  vectors: Tensor<"float32">,
  metadata: Readonly<Record<string, string>>,
  { emit }: Pick<Context, "emit">,
): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await saveSafetensors(path, [["vectors", vectors]], metadata);
  } catch (error) {
    emit({ kind: "warning", message: `vectors are not kept for the next time: ${messageOf(error)}` });
  }
}
