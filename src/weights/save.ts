import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CliptError, messageOf, type Tensor } from "../tensor/index.js";
import { pyTorchChunks, type Savable } from "./pytorch/index.js";
import { safetensorsChunks } from "./safetensors.js";

/** Why the machine refused, in words. */
const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would be larger than allowed",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  EROFS: "the disk is read-only",
  ENOENT: "its folder does not exist",
  ENOTDIR: "its folder is a file",
  EISDIR: "it is a folder",
};

/**
 * Writes tensors as a safetensors file. Whatever happens, the path holds either the old file or the whole new one.
 *
 * @throws `io` when the machine refuses: disk full, no permission; nothing is left behind then
 */
export async function saveSafetensors(
  path: string,
  tensors: Iterable<readonly [string, Tensor]>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  await replaceFile(path, safetensorsChunks(tensors, metadata));
}

/** Writes plain data with tensors as `torch.save` does. @throws `io` as `saveSafetensors` does */
export async function savePyTorch(path: string, root: Savable): Promise<void> {
  await replaceFile(path, pyTorchChunks(root));
}

/**
 * Writes a file by way of another one beside it, which takes its place when it is safely on disk.
 *
 * @throws `io` when the machine refuses; the old file is kept then, and the other one removed
 */
export async function replaceFile(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  const folder = dirname(path);
  const draft = join(folder, `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const file = await open(draft, "wx");
    try {
      for (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    await syncFolder(folder);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw writeError(path, cause);
  }
}

/** What a failed write means. */
export function writeError(path: string, cause: unknown): CliptError {
  const { code = "" } = cause as NodeJS.ErrnoException;
  return new CliptError("io", `Cannot write ${path}: ${reasons[code] ?? messageOf(cause)}.`, { cause });
}

/** Makes the new name survive a power cut; systems that cannot open folders keep it without. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  try {
    await handle?.sync();
  } catch {
    // Some file systems refuse to sync a folder; the file itself is safe already.
  } finally {
    await handle?.close();
  }
}
