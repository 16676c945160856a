import { createHash } from "node:crypto";
import { mkdir, realpath } from "node:fs/promises";
import { join, relative } from "node:path";
import { CliptError, toFloat32 } from "../../tensor/index.js";
import { openWeights, saveSafetensors } from "../../weights/index.js";
import type { PictureFile } from "../picture-file.js";
import { rowsOf, stackVectors } from "./embeddings.js";

/** A picture's vector and the file that it was made of, its path counted from the folder. */
interface Remembered {
  readonly size: number;
  readonly mtimeMs: number;
  readonly vector: Float32Array;
}

/** Vectors of a folder's pictures, kept between calls. */
export interface FolderCache {
  /** The vector of an unchanged file. */
  get(file: PictureFile): Float32Array | undefined;
  put(file: PictureFile, vector: Float32Array): void;
  /**
   * Writes the vectors of these files, and no others, when anything changed.
   *
   * @throws `io`
   */
  save(files: readonly PictureFile[]): Promise<void>;
}

/**
 * The cache of a folder for one identity, in a file of the cache folder. A file that cannot be read as such counts as
 * absent: it is rebuilt.
 *
 * @param identity of the model and of how pictures are decoded for it
 */
export async function openFolderCache(
  cacheFolder: string,
  folder: string,
  identity: string,
): Promise<FolderCache> {
  const name = createHash("sha256")
    .update(JSON.stringify([await realpath(folder), identity]))
    .digest("hex");
  const path = join(cacheFolder, "embeddings", `${name.slice(0, 40)}.safetensors`);
  const remembered = await read(path, identity);
  const keyOf = (file: PictureFile): string => relative(folder, file.path);
  let changed = false;
  let written = remembered.size;

  return {
    get(file) {
      const known = remembered.get(keyOf(file));
      return known?.size === file.size && known.mtimeMs === file.mtimeMs ? known.vector : undefined;
    },
    put(file, vector) {
      remembered.set(keyOf(file), { size: file.size, mtimeMs: file.mtimeMs, vector });
      changed = true;
    },
    async save(files) {
      const kept = files.flatMap((file) => {
        const known = remembered.get(keyOf(file));
        return known === undefined ? [] : [[keyOf(file), known] as const];
      });
      if (!changed && kept.length === written) return;
      await mkdir(join(cacheFolder, "embeddings"), { recursive: true, mode: 0o700 }).catch(
        (cause: unknown) => {
          throw new CliptError("io", `Cannot make the folder ${cacheFolder}.`, { cause });
        },
      );
      await write(path, identity, new Map(kept));
      changed = false;
      written = kept.length;
    },
  };
}

async function read(path: string, identity: string): Promise<Map<string, Remembered>> {
  const result = new Map<string, Remembered>();
  try {
    const file = await openWeights(path);
    try {
      const { metadata } = file;
      if (metadata.identity !== identity) return result;
      const files = JSON.parse(metadata.files ?? "[]") as [string, number, number][];
      for (const [i, vector] of rowsOf(toFloat32(await file.read("embeddings"))).entries()) {
        const [key, size, mtimeMs] = files[i] ?? ["", 0, 0];
        result.set(key, { size, mtimeMs, vector });
      }
    } finally {
      await file.close();
    }
  } catch {
    result.clear();
  }
  return result;
}

async function write(
  path: string,
  identity: string,
  remembered: ReadonlyMap<string, Remembered>,
): Promise<void> {
  const files = Array.from(remembered, ([key, { size, mtimeMs }]) => [key, size, mtimeMs]);
  const vectors = stackVectors(Array.from(remembered.values(), ({ vector }) => vector));
  await saveSafetensors(path, [["embeddings", vectors]], {
    identity,
    files: JSON.stringify(files),
  });
}
