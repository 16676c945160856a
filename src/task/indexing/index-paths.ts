import { readdir, stat } from "node:fs/promises";
import { dirname, sep } from "node:path";
import type { Store } from "../../store/index.js";
import { isPicture } from "../../train/data/sample.js";
import type { Collection } from "../collection/collection.js";
import type { LeaveOut } from "../find-pictures.js";
import type { Context } from "../task.js";
import { indexFiles, type FoundFile } from "./index-files.js";
import { belowAny, deleteAll, isBelow, type Indexed, type IndexOptions } from "./index-folders.js";
import { leaveOutBelow } from "./leave-out.js";

/**
 * Brings an index in line with single paths below its folders: files that are there are indexed, what was at paths that
 * are not there any more goes. Renamed files keep their vectors.
 */
export async function indexPaths(
  paths: readonly string[],
  roots: readonly string[],
  collection: Collection,
  { ignore, exact }: IndexOptions,
  context: Context,
): Promise<Omit<Indexed, "unchanged">> {
  const { store } = collection;
  const rules = new Map(roots.map((root) => [root, leaveOutBelow(root, ignore)]));
  const there: FoundFile[] = [];
  const missing: string[] = [];
  for (const path of paths) {
    const root = roots.find((folder) => isBelow(path, folder));
    if (root === undefined) continue;
    const info = await stat(path).catch(() => undefined);
    if (info === undefined) missing.push(path);
    else if (info.isFile() && isPicture(path) && !(await isLeftOut(path, root, rules.get(root)!)))
      there.push({ root, file: { path, size: info.size, mtimeMs: info.mtimeMs } });
  }
  const { added, reused, broken } = await indexFiles(
    await changedOf(there, store),
    collection,
    { exact },
    context,
  );
  const gone = new Set<string>();
  if (missing.length > 0)
    for await (const items of store.scan({ where: belowAny(missing), fields: [] }))
      for (const { id } of items) gone.add(id);
  for (const item of broken.length === 0 ? [] : await store.get(broken.map(({ file }) => file.path)))
    if (item !== undefined) gone.add(item.id);
  await deleteAll([...gone], store);
  return { added, reused, deleted: gone.size, skipped: broken.length };
}

/**
 * Whether a folder is not there, or suddenly empty: a drive that was pulled out leaves an empty folder.
 *
 * @param before whether it was away the last time
 */
export async function isAway(root: string, before: boolean, store: Store): Promise<boolean> {
  const names = await readdir(root).catch(() => undefined);
  if (names === undefined) return true;
  if (names.length > 0) return false;
  return before || (await store.count(belowAny([root]))) > 0;
}

/** Without files that only look changed: the system tells more than once. */
async function changedOf(files: readonly FoundFile[], store: Store): Promise<FoundFile[]> {
  const known = await store.get(files.map(({ file }) => file.path));
  return files.filter(({ file }, i) => {
    const { size, modified } = known[i]?.fields ?? {};
    return size !== file.size || modified !== Math.round(file.mtimeMs);
  });
}

/** Whether the file, or a folder on the way to it, is left out. */
async function isLeftOut(path: string, root: string, rules: LeaveOut): Promise<boolean> {
  const folders: string[] = [];
  for (let folder = dirname(path); isBelow(folder, root); folder = dirname(folder)) {
    folders.unshift(folder);
    if (folder === root || folder === sep) break;
  }
  for (const folder of folders) {
    if (folder !== root && rules.leavesOut(folder, true)) return true;
    await rules.enter(folder);
  }
  return rules.leavesOut(path, false);
}
