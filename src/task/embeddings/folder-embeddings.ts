import type { Encoder } from "../../model/index.js";
import { CliptError, messageOf } from "../../tensor/index.js";
import { decoding } from "../decoding.js";
import { encodePictures } from "../encode-pictures.js";
import { findPictures, sampleOf } from "../find-pictures.js";
import type { PictureFile } from "../picture-file.js";
import type { Context } from "../task.js";
import { stackVectors, type Embeddings } from "./embeddings.js";
import { openFolderCache, type FolderCache } from "./folder-cache.js";

/** Work that a killed process may lose. */
const saveEveryMs = 20_000;

export interface FolderOptions {
  readonly exact: boolean;
  /** Whether vectors are remembered between calls. */
  readonly cache: boolean;
}

/**
 * Vectors of all pictures of a folder, in the order of their paths. Only new and changed pictures are encoded; what was
 * encoded is kept even when the call is stopped. A cache that cannot be written is a warning.
 *
 * @throws what `findPictures` and `encodePictures` throw
 */
export async function folderEmbeddings(
  folder: string,
  opening: Promise<Encoder>,
  { exact, cache: wanted }: FolderOptions,
  context: Context,
): Promise<Embeddings> {
  const [files, encoder] = await Promise.all([findPictures([folder], context), opening]);
  const { identity, preprocess } = encoder.model;
  const { cacheFolder } = context.services;
  const stamp = exact ? `${identity} exact` : identity;
  const cache =
    wanted && cacheFolder !== undefined ? await openFolderCache(cacheFolder, folder, stamp) : nothingKept();

  const fresh = files.filter((file) => cache.get(file) === undefined);
  let failed = false;
  const save = async (): Promise<void> => {
    if (failed) return;
    await cache.save(files).catch((error: unknown) => {
      failed = true;
      context.emit({ kind: "warning", message: `the folder's embeddings are not kept: ${messageOf(error)}` });
    });
  };
  let saved = Date.now();
  try {
    for await (const { item, vector } of encodePictures(
      fresh,
      sampleOf,
      encoder,
      decoding(preprocess, exact),
      context,
    )) {
      cache.put(item, vector);
      if (Date.now() - saved < saveEveryMs) continue;
      await save();
      saved = Date.now();
    }
  } catch (error) {
    // Broken new pictures don't matter while there are others.
    const usable = files.length > fresh.length;
    if (!(error instanceof CliptError && error.code === "input" && usable)) throw error;
  } finally {
    await save();
  }
  const found = files.flatMap((file) => {
    const vector = cache.get(file);
    return vector === undefined ? [] : [{ path: file.path, vector }];
  });
  return {
    identity,
    items: found.map(({ path }) => path),
    vectors: stackVectors(found.map(({ vector }) => vector)),
  };
}

/** Remembers for one call only. */
function nothingKept(): FolderCache {
  const vectors = new Map<string, Float32Array>();
  return {
    get: ({ path }: PictureFile) => vectors.get(path),
    put: ({ path }, vector) => void vectors.set(path, vector),
    save: async () => {},
  };
}
