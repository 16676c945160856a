import { open, realpath, stat, type FileHandle } from "node:fs/promises";
import { constants } from "node:fs";
import { sep } from "node:path";
import type { Fields, Store } from "../store/index.js";
import { CliptError } from "../tensor/index.js";

/** A picture of the index, as the store knows it. @throws `missing` */
export async function findPicture(store: Store, id: string): Promise<{ id: string; fields: Fields }> {
  const [item] = await store.get([id]);
  if (item === undefined) throw new CliptError("missing", "The index has no such picture.");
  return { id: item.id, fields: item.fields };
}

/**
 * Opens the file of a picture of the index: the very file that was indexed, inside of the folder that was indexed, and
 * not one that a link points to.
 *
 * @throws `missing`
 */
export async function openPicture({ id, fields }: { id: string; fields: Fields }): Promise<FileHandle> {
  const gone = (cause?: unknown) =>
    new CliptError("missing", "The picture's file is not there any more.", { cause });
  const folder = fields["folder"];
  if (
    typeof folder !== "string" ||
    !(id === folder || id.startsWith(folder.endsWith(sep) ? folder : folder + sep))
  )
    throw gone();
  let file: FileHandle | undefined;
  try {
    // Not waiting: whoever opens a pipe would wait for its writer.
    file = await open(id, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    const [opened, there, real] = await Promise.all([file.stat(), stat(id), realpath(id)]);
    if (real === id && opened.isFile() && opened.ino === there.ino && opened.dev === there.dev) return file;
  } catch (cause) {
    await file?.close();
    throw gone(cause);
  }
  await file.close();
  throw gone();
}
