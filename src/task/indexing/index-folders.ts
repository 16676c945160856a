import { realpath, stat } from "node:fs/promises";
import { sep } from "node:path";
import type { Fields, Filter, Store } from "../../store/index.js";
import { CliptError, readError } from "../../tensor/index.js";
import type { Collection } from "../collection/collection.js";
import { findPictures } from "../find-pictures.js";
import type { PictureFile } from "../picture-file.js";
import type { Context } from "../task.js";
import { indexFiles, type BrokenFile, type FileOptions, type FoundFile } from "./index-files.js";
import { leaveOutBelow } from "./leave-out.js";
import { pictureFields } from "./picture-fields.js";
import type { MetadataTable } from "./metadata-table.js";
import { isAmong, isOfContent, readUnusable, stampOf, writeUnusable, type Unusable } from "./unusable.js";

/** What an indexing run did. */
export interface Indexed {
  /** Encoded now. */
  readonly added: number;
  /** Files whose content had a vector already: moved, renamed or copied ones. */
  readonly reused: number;
  readonly unchanged: number;
  readonly deleted: number;
  readonly skipped: number;
}

export interface IndexOptions extends FileOptions {
  /** Names and paths to leave out, in .gitignore's manner. */
  readonly ignore: readonly string[];
  /** A folder without any picture means that its pictures are gone, not that a drive is missing. */
  readonly allowEmpty?: boolean;
  /** Tries files again that could not be used and have not changed. */
  readonly retry?: boolean;
  /** A person's own table. */
  readonly metadata?: MetadataTable | undefined;
}

/** How folders differ from what the index knows of them. */
export interface Changes {
  /** The folders' real paths. */
  readonly roots: readonly string[];
  /** New, changed, or without a vector of this model. */
  readonly fresh: readonly FoundFile[];
  readonly unchanged: number;
  /** Files that could not be used before: all that is known of any folder, and those that were left out for it. */
  readonly unusable: { readonly known: Unusable; readonly left: readonly PictureFile[] };
  /** Ids of files that are no longer there, with their sizes. */
  readonly gone: ReadonlyMap<string, number>;
  /** Places that cannot be read: what the index knows below them stays. */
  readonly unreadable: number;
}

/** Ids in one call. */
const deletedAtOnce = 10_000;

/**
 * Brings an index in line with folders: new and changed pictures are encoded, moved ones keep their vectors, deleted ones go.
 * What was written stays, whenever it ends; the next run goes on from there.
 *
 * @throws `missing`, `io` when a folder cannot be read, `input` when one is empty that was not: nothing is deleted then
 */
export async function indexFolders(
  folders: readonly string[],
  collection: Collection,
  options: IndexOptions,
  context: Context,
): Promise<Indexed> {
  const { store } = collection;
  const { roots, fresh, gone, unchanged, unusable, unreadable } = await findChanges(
    folders,
    collection,
    options,
    context,
  );
  const { added, reused, broken } = await indexFiles(fresh, collection, options, context);
  const ids = broken.map(({ file }) => file.path);
  // Last, so that a moved file's vector is still there when its new place asks for it.
  const lost = new Set([...gone.keys(), ...(await knownAmong(ids, store))]);
  await deleteAll([...lost], store);
  await remember(roots, unusable, broken, store);
  if (added > 0 || reused > 0 || gone.size > 0)
    await store.compact((stage, done, total) => context.emit({ kind: "progress", stage, done, total }));
  const useless = broken.length + unusable.left.length;
  if (added + reused + unchanged === 0 && useless > 0)
    throw new CliptError("input", `None of the ${useless} pictures can be used.`);
  return { added, reused, unchanged, deleted: gone.size, skipped: useless + unreadable };
}

/** Keeps which files need not be tried again. Those of other folders stay as they are. */
async function remember(
  roots: readonly string[],
  { known, left }: Changes["unusable"],
  broken: readonly BrokenFile[],
  store: Store,
): Promise<void> {
  const elsewhere = [...known].filter(([path]) => !roots.some((root) => isBelow(path, root)));
  const own = broken.filter(isOfContent);
  if (own.length === 0 && elsewhere.length + left.length === known.size) return;
  const stamps = [...left, ...own.map(({ file }) => file)].map((file) => [file.path, stampOf(file)] as const);
  await writeUnusable(store, new Map([...elsewhere, ...stamps]));
}

/** Holds folders against the index. @throws as `indexFolders` does */
export async function findChanges(
  folders: readonly string[],
  { store, identity }: Collection,
  { ignore, allowEmpty = false, retry = false, metadata }: IndexOptions,
  context: Context,
): Promise<Changes> {
  const roots = await Promise.all(folders.map(realFolder));
  await store.declare({ ...metadata?.fields, ...pictureFields });
  const own = Object.keys(await store.fields()).filter((name) => !(name in pictureFields));
  const known = await knownFiles(roots, store, own);
  const lacking = new Set<string>();
  for await (const items of store.scan({ where: belowAny(roots), lacking: identity, fields: [] }))
    for (const { id } of items) lacking.add(id);

  const unreadable: string[] = [];
  const noting: Pick<Context, "emit" | "signal"> = {
    signal: context.signal,
    emit: (event) => {
      if (event.kind === "skipped") unreadable.push(event.item);
      context.emit(event);
    },
  };
  const found = new Map<string, FoundFile>();
  for (const root of roots)
    for (const file of await filesBelow(root, ignore, noting, known, allowEmpty))
      found.set(file.path, withFields({ file, root }, own, metadata, known.get(file.path)));

  const unusable = await readUnusable(store);
  const left = retry
    ? []
    : [...found.values()].flatMap(({ file }) => (isAmong(unusable, file) ? [file] : []));
  if (left.length > 0)
    context.emit({
      kind: "note",
      message: `${left.length} of the files could not be used before and have not changed: they are not tried again.`,
    });
  const ignored = new Set(left);
  const fresh = [...found.values()].filter(({ file, fields = {} }) => {
    if (ignored.has(file)) return false;
    const before = known.get(file.path);
    if (before === undefined || lacking.has(file.path) || !unchanged(file, before)) return true;
    return own.some((name) => fields[name] !== before[name]);
  });
  const hidden = (id: string): boolean => unreadable.some((place) => isBelow(id, place));
  return {
    roots,
    fresh,
    unusable: { known: unusable, left },
    unchanged: found.size - fresh.length - left.length,
    gone: new Map(
      [...known].flatMap(([id, { size }]) =>
        found.has(id) || hidden(id) ? [] : [[id, Number(size)] as const],
      ),
    ),
    unreadable: unreadable.length,
  };
}

/** Removes items, in parts. */
export async function deleteAll(ids: readonly string[], store: Collection["store"]): Promise<void> {
  for (let i = 0; i < ids.length; i += deletedAtOnce) await store.delete(ids.slice(i, i + deletedAtOnce));
}

async function filesBelow(
  root: string,
  ignore: readonly string[],
  context: Pick<Context, "emit" | "signal">,
  known: ReadonlyMap<string, Fields>,
  allowEmpty: boolean,
): Promise<PictureFile[]> {
  try {
    return await findPictures([root], context, leaveOutBelow(root, ignore));
  } catch (error) {
    if (!(error instanceof CliptError) || error.code !== "input") throw error;
    const before = [...known.keys()].filter((id) => isBelow(id, root)).length;
    if (before === 0 || allowEmpty) {
      if (allowEmpty) return [];
      throw error;
    }
    throw new CliptError(
      "input",
      `${root} holds no picture, but the index knows ${before} there. Is a drive missing? If they are meant to go, say so (--allow-empty).`,
    );
  }
}

/** A folder's real path. @throws `missing`, `io` */
export async function realFolder(folder: string): Promise<string> {
  try {
    await stat(folder);
    return await realpath(folder);
  } catch (cause) {
    throw readError(folder, cause);
  }
}

/** A file with what the table says of it, or what it said the last time. */
function withFields(
  found: FoundFile,
  own: readonly string[],
  metadata: MetadataTable | undefined,
  before: Fields = {},
): FoundFile {
  if (own.length === 0) return found;
  const kept = Object.fromEntries(Object.entries(before).filter(([name]) => own.includes(name)));
  return { ...found, fields: metadata?.rows.get(found.file.path) ?? kept };
}

/** What decides whether a file has changed, by id. */
async function knownFiles(
  roots: readonly string[],
  store: Collection["store"],
  own: readonly string[],
): Promise<Map<string, Fields>> {
  const known = new Map<string, Fields>();
  for await (const items of store.scan({ where: belowAny(roots), fields: ["size", "modified", ...own] }))
    for (const { id, fields } of items) known.set(id, fields);
  return known;
}

async function knownAmong(ids: readonly string[], store: Collection["store"]): Promise<string[]> {
  const items = ids.length === 0 ? [] : await store.get(ids);
  return items.flatMap((item) => item?.id ?? []);
}

/** Items at paths, or below them. */
export const belowAny = (roots: readonly string[]): Filter => ({
  kind: "or",
  of: roots.flatMap((root): Filter[] => [
    { kind: "compare", field: "path", by: "=", value: root },
    { kind: "starts", field: "path", text: root.endsWith(sep) ? root : root + sep },
  ]),
});

/** Whether a path is another one, or lies in it. */
export const isBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

const unchanged = (file: PictureFile, { size, modified }: Fields): boolean =>
  size === file.size && modified === Math.round(file.mtimeMs);
