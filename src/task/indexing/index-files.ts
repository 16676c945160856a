import type { Fields, Item } from "../../store/index.js";
import { inOrder } from "../../train/data/in-order.js";
import type { Broken } from "../../train/data/row-reader.js";
import type { Collection } from "../collection/collection.js";
import { decoding } from "../decoding.js";
import { encodeStream, type Reading } from "../encode-pictures.js";
import type { PictureFile } from "../picture-file.js";
import type { Context } from "../task.js";
import { contentFields, fileFields } from "./picture-fields.js";
import type { ReadPicture } from "./read-picture.js";
import { Writer } from "./writer.js";

/** A file below one of the indexed folders. */
export interface FoundFile {
  readonly file: PictureFile;
  readonly root: string;
  /** What a person's own table says of it. */
  readonly fields?: Fields;
}

export interface FilesIndexed {
  /** Encoded now. */
  readonly added: number;
  /** Files whose content had a vector already: moved, renamed or copied ones. */
  readonly reused: number;
  readonly broken: readonly BrokenFile[];
}

/** A file that cannot be used. */
export interface BrokenFile extends Broken {
  readonly file: PictureFile;
}

export interface FileOptions {
  readonly exact: boolean;
}

/** Files whose content is looked up at once. */
const lookedUpAtOnce = 64;

/**
 * Puts files into the index, whatever is known of them: content that has a vector already is not encoded again. Threads read
 * and decode, the tower encodes, the store writes, all at the same time; each waits when the next one is behind.
 */
export async function indexFiles(
  files: readonly FoundFile[],
  { store, encoder, identity }: Collection,
  { exact }: FileOptions,
  { services, signal, emit }: Context,
): Promise<FilesIndexed> {
  if (files.length === 0) return { added: 0, reused: 0, broken: [] };
  const { preprocess } = encoder.model;
  const reader = await services.pictureReader(
    { preprocess, decode: decoding(preprocess, exact) },
    files.length,
  );
  const started = Date.now();
  const broken: BrokenFile[] = [];
  let [added, reused] = [0, 0];
  const writer = new Writer(store, (written) => {
    const done = written + broken.length;
    const rate = (1000 * done) / Math.max(1, Date.now() - started);
    const note = `${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s`;
    emit({ kind: "progress", stage: "indexing", done, total: files.length, note });
  });
  const skip = ({ file }: FoundFile, why: Broken): void => {
    broken.push({ ...why, file });
    emit({ kind: "skipped", item: file.path, reason: why.reason });
  };
  const itemOf = ({ file, root, fields }: FoundFile, content: Fields, vector: Float32Array): Item => ({
    id: file.path,
    fields: { ...fields, ...content, ...fileFields(file, root) },
    vectors: { [identity]: vector },
  });

  /** The files that have to be encoded; the others are written on the way. */
  async function* unknown(): AsyncGenerator<FoundFile> {
    for await (const part of inOrder(chunks(files, lookedUpAtOnce), lookUp, 2)) {
      signal.throwIfAborted();
      for (const { found, twin, broken } of part) {
        if (broken !== undefined) skip(found, broken);
        else if (twin === undefined) yield found;
        else {
          await writer.add(itemOf(found, twin.fields, twin.vectors![identity]!));
          reused++;
        }
      }
    }
  }

  /** Whether the index has their content: only files whose size it knows are read for it. */
  async function lookUp(
    part: readonly FoundFile[],
  ): Promise<readonly { found: FoundFile; twin?: Item | undefined; broken?: Broken }[]> {
    const sizes = new Set<unknown>();
    for await (const items of store.scan({ where: oneOf("size", part.map(sizeOf)), fields: ["size"] }))
      for (const { fields } of items) sizes.add(fields["size"]);
    const results = await Promise.all(
      part.map(async (found) => ({
        found,
        read: sizes.has(sizeOf(found)) ? await reader.hash(found.file.path) : undefined,
      })),
    );
    const hashes = results.flatMap(({ read }) => (read !== undefined && "hash" in read ? [read.hash] : []));
    const twins = await contentOf(hashes);
    return results.map(({ found, read }) => {
      if (read === undefined) return { found };
      return "reason" in read ? { found, broken: read } : { found, twin: twins.get(read.hash) };
    });
  }

  /** Items that have these contents and a vector, by hash: their content's fields. */
  async function contentOf(hashes: readonly string[]): Promise<Map<string, Item>> {
    const found = new Map<string, Item>();
    if (hashes.length === 0) return found;
    for await (const items of store.scan({ where: oneOf("hash", hashes), identity, fields: contentFields }))
      for (const item of items)
        if (item.vectors?.[identity] !== undefined) found.set(String(item.fields["hash"]), item);
    return found;
  }

  const reading: Reading<FoundFile, ReadPicture> = {
    ...reader,
    read: ({ file }, into) => reader.picture(file.path, into),
  };
  try {
    for await (const batch of encodeStream(unknown(), reading, encoder, skip, signal))
      for (const { item, vector, read } of batch) {
        await writer.add(itemOf(item, read.fields, vector));
        added++;
      }
  } finally {
    await reader.close();
    await writer.end();
  }
  return { added, reused, broken };
}

const sizeOf = ({ file }: FoundFile): number => file.size;

const oneOf = <T extends string | number>(field: string, values: readonly T[]) =>
  ({ kind: "in", field, values: [...new Set(values)] }) as const;

async function* chunks<T>(items: readonly T[], size: number): AsyncGenerator<readonly T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}
