import { realpath, stat } from "node:fs/promises";
import { sep } from "node:path";
import { perceptualHash } from "../../input/image/index.js";
import type { Fields, Filter, Item } from "../../store/index.js";
import { readError } from "../../tensor/index.js";
import type { Collection } from "../collection/collection.js";
import { decoding } from "../decoding.js";
import { encodePictures } from "../encode-pictures.js";
import { findPictures, sampleOf, type PictureFile } from "../find-pictures.js";
import type { Context } from "../task.js";
import { contentHash, fileFields, pictureFields } from "./metadata.js";

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

export interface IndexOptions {
  readonly exact: boolean;
  /** Names and paths to leave out, in .gitignore's manner. */
  readonly ignore: readonly string[];
}

/** Pictures in one write: what a killed process may have to encode again. */
const writeAtOnce = 64;
/** A list of an index is read in pages, so that memory does not grow with it. */
const pageSize = 10_000;

/**
 * Brings an index in line with folders: new and changed pictures are encoded, moved ones keep their vectors, deleted ones go.
 * What was written stays, whenever it ends; the next run goes on from there.
 *
 * @throws `missing`, `io` when a folder cannot be read: nothing is deleted then
 */
export async function indexFolders(
  folders: readonly string[],
  { store, encoder, identity }: Collection,
  options: IndexOptions,
  context: Context,
): Promise<Indexed> {
  const roots = await Promise.all(folders.map(realFolder));
  await store.declare(pictureFields);
  let skipped = 0;
  const counting: Context = {
    ...context,
    emit: (event) => {
      if (event.kind === "skipped") skipped++;
      context.emit(event);
    },
  };

  const files = await filesOf(roots, options.ignore, counting);
  const known = await knownItems(roots, store);
  const lacking = new Set<string>();
  for await (const item of listAll(store, { where: inRoots(roots), lacking: identity })) lacking.add(item.id);

  const fresh = files.filter(({ file }) => {
    const before = known.get(file.path);
    return before === undefined || lacking.has(file.path) || !unchanged(file, before);
  });
  const there = new Set(files.map(({ file }) => file.path));
  const gone = [...known.keys()].filter((id) => !there.has(id));

  // Content that has a vector is not encoded again, wherever it lies now.
  let reused = 0;
  const toEncode: { file: PictureFile; root: string; hash: string }[] = [];
  const byHash = new Map<string, string>();
  for (const [id, fields] of known)
    if (typeof fields["hash"] === "string" && !lacking.has(id)) byHash.set(fields["hash"], id);
  for (const [i, { file, root }] of fresh.entries()) {
    context.signal.throwIfAborted();
    const hash = await contentHash(file.path).catch((cause: unknown) => {
      counting.emit({ kind: "skipped", item: file.path, reason: readError(file.path, cause).message });
    });
    if (hash === undefined) continue;
    const twin = byHash.get(hash);
    const [item] = twin === undefined ? [] : await store.get([twin], identity);
    const vector = item?.vectors?.[identity];
    if (item === undefined || vector === undefined) toEncode.push({ file, root, hash });
    else {
      const fields = { ...item.fields, ...(await fileFields(file, root, hash)) };
      await store.upsert([{ id: file.path, fields, vectors: { [identity]: vector } }]);
      reused++;
    }
    if (i % 50 === 0) context.emit({ kind: "progress", stage: "looking", done: i, total: fresh.length });
  }
  if (gone.length > 0) await store.delete(gone);

  const added = await encodeInto(toEncode);
  if (added > 0 || reused > 0 || gone.length > 0)
    await store.compact((stage, done, total) => context.emit({ kind: "progress", stage, done, total }));
  return { added, reused, unchanged: files.length - fresh.length, deleted: gone.length, skipped };

  async function encodeInto(pictures: typeof toEncode): Promise<number> {
    const { size } = encoder.model.preprocess;
    const [height, width] = typeof size === "number" ? [size, size] : size;
    let [written, waiting]: [number, Promise<Item>[]] = [0, []];
    const write = async (): Promise<void> => {
      const items = await Promise.all(waiting);
      waiting = [];
      await store.upsert(items);
      written += items.length;
    };
    const encoded = encodePictures(
      pictures,
      ({ file }) => sampleOf(file),
      encoder,
      decoding(encoder.model.preprocess, options.exact),
      counting,
    );
    try {
      for await (const { item, vector, pixels } of encoded) {
        const { file, root, hash } = item;
        const phash = perceptualHash(pixels, height, width);
        waiting.push(
          fileFields(file, root, hash).then((fields) => ({
            id: file.path,
            fields: { ...fields, phash },
            vectors: { [identity]: vector },
          })),
        );
        if (waiting.length >= writeAtOnce) await write();
      }
    } catch (error) {
      // Broken new pictures don't matter while there are others.
      if (context.signal.aborted || files.length === pictures.length) throw error;
    } finally {
      await write();
    }
    return written;
  }
}

async function realFolder(folder: string): Promise<string> {
  try {
    await stat(folder);
    return await realpath(folder);
  } catch (cause) {
    throw readError(folder, cause);
  }
}

async function filesOf(
  roots: readonly string[],
  ignore: readonly string[],
  context: Context,
): Promise<{ file: PictureFile; root: string }[]> {
  const { default: ignoring } = await import("ignore");
  const rules = ignoring().add([...ignore]);
  const found = new Map<string, { file: PictureFile; root: string }>();
  for (const root of roots)
    for (const file of await findPictures([root], context)) {
      const relative = file.path.slice(root.length + 1);
      if (relative === "" || !rules.ignores(relative.split(sep).join("/")))
        found.set(file.path, { file, root });
    }
  return [...found.values()];
}

/** Fields by id. */
async function knownItems(
  roots: readonly string[],
  store: Collection["store"],
): Promise<Map<string, Fields>> {
  const known = new Map<string, Fields>();
  for await (const { id, fields } of listAll(store, { where: inRoots(roots) })) known.set(id, fields);
  return known;
}

async function* listAll(
  store: Collection["store"],
  listing: { where: Filter; lacking?: string },
): AsyncGenerator<Item> {
  for (let offset = 0; ; offset += pageSize) {
    const page = await store.list({ ...listing, limit: pageSize, offset });
    yield* page;
    if (page.length < pageSize) return;
  }
}

const inRoots = (roots: readonly string[]): Filter => ({
  kind: "or",
  of: roots.flatMap((root): Filter[] => [
    { kind: "compare", field: "path", by: "=", value: root },
    { kind: "starts", field: "path", text: root.endsWith(sep) ? root : root + sep },
  ]),
});

const unchanged = (file: PictureFile, { size, modified }: Fields): boolean =>
  size === file.size && modified === Math.round(file.mtimeMs);
