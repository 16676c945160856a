import type { Fields, Item } from "../../store/index.js";
import { inOrder } from "../../train/data/in-order.js";
import type { Collection } from "../collection/collection.js";
import { decoding } from "../decoding.js";
import { encodeStream } from "../encode-pictures.js";
import type { PictureFile } from "../find-pictures.js";
import type { Context } from "../task.js";
import { contentFields, fileFields } from "./metadata.js";
import { openPictureReader } from "./picture-reader.js";
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
  /** Ids of files that cannot be used. */
  readonly broken: readonly string[];
}

export interface FileOptions {
  readonly exact: boolean;
}

/** Files whose content is looked up at once. */
const lookedUpAtOnce = 64;
/** Below this, starting threads takes longer than reading here. */
const worthWorkers = 8;

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
  const reader = openPictureReader(
    { preprocess, decode: decoding(preprocess, exact) },
    files.length < worthWorkers ? 0 : services.decodeWorkers,
  );
  const started = Date.now();
  const broken: string[] = [];
  let [added, reused] = [0, 0];
  const writer = new Writer(store, (written) => {
    const done = written + broken.length;
    const rate = (1000 * done) / Math.max(1, Date.now() - started);
    const note = `${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s`;
    emit({ kind: "progress", stage: "indexing", done, total: files.length, note });
  });
  const skip = ({ file }: FoundFile, reason: string): void => {
    broken.push(file.path);
    emit({ kind: "skipped", item: file.path, reason });
  };
  const itemOf = ({ file, root, fields }: FoundFile, content: Fields, vector: Float32Array): Item => ({
    id: file.path,
    fields: { ...fields, ...content, ...fileFields(file, root) },
    vectors: { [identity]: vector },
  });

  /** The files that have to be encoded; the others are written on the way. */
  async function* unknown(): AsyncGenerator<FoundFile> {
    const hashed = inOrder(
      each(files),
      async (found) => ({ found, result: await reader.hash(found.file.path) }),
      reader.parallel,
    );
    for await (const part of chunks(hashed, lookedUpAtOnce)) {
      signal.throwIfAborted();
      const hashes = part.flatMap(({ result }) => ("hash" in result ? [result.hash] : []));
      const twins = await contentOf(hashes);
      for (const { found, result } of part) {
        if ("reason" in result) {
          skip(found, result.reason);
          continue;
        }
        const twin = twins.get(result.hash);
        if (twin === undefined) yield found;
        else {
          await writer.add(itemOf(found, twin.fields, twin.vectors![identity]!));
          reused++;
        }
      }
    }
  }

  /** Items that have these contents and a vector, by hash: their content's fields. */
  async function contentOf(hashes: readonly string[]): Promise<Map<string, Item>> {
    const found = new Map<string, Item>();
    if (hashes.length === 0) return found;
    const where = { kind: "in", field: "hash", values: [...new Set(hashes)] } as const;
    for await (const items of store.scan({ where, identity, fields: contentFields }))
      for (const item of items)
        if (item.vectors?.[identity] !== undefined) found.set(String(item.fields["hash"]), item);
    return found;
  }

  const reading = { ...reader, read: ({ file }: FoundFile) => reader.picture(file.path) };
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

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function* chunks<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let part: T[] = [];
  for await (const item of items) {
    part.push(item);
    if (part.length < size) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}
