import type { Collection } from "../collection/collection.js";
import type { Context } from "../task.js";
import { deleteAll, findChanges, type Indexed, type IndexOptions } from "./index-folders.js";
import { IndexQueue } from "./queue.js";

/**
 * Brings an index in line with folders, as `indexFolders` does; what has to be encoded is sent to workers.
 *
 * @throws as `indexFolders` does, and `io` when the queue's server does not answer
 */
export async function sendToWorkers(
  url: string,
  folders: readonly string[],
  collection: Collection,
  options: IndexOptions,
  context: Context,
): Promise<Indexed & { readonly queued: number }> {
  const queue = await IndexQueue.open(url, collection.identity);
  try {
    const { fresh, gone, unchanged, unusable, unreadable } = await findChanges(
      folders,
      collection,
      options,
      context,
    );
    await queue.send(fresh, options.exact);
    // A moved file's vector has to be there when its worker looks for it: the next run takes its old place out.
    const sizes = new Set(fresh.map(({ file }) => file.size));
    const lost = [...gone].flatMap(([id, size]) => (sizes.has(size) ? [] : [id]));
    await deleteAll(lost, collection.store);
    return {
      added: 0,
      reused: 0,
      unchanged,
      deleted: lost.length,
      skipped: unusable.left.length + unreadable,
      queued: fresh.length,
    };
  } finally {
    await queue.close();
  }
}
