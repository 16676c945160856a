import { extname } from "node:path";
import { CliptError, f32, toFloat32, type Tensor } from "../../tensor/index.js";
import { bytesOf, openWeights, replaceFile, saveSafetensors } from "../../weights/index.js";
import { readJson, readLines } from "../../train/data/text-file.js";
import type { Embeddings } from "./embeddings.js";

/** A form in which embeddings are kept in a file. */
interface Format {
  write(path: string, embeddings: Embeddings): Promise<void>;
  read(path: string): Promise<Embeddings>;
}

/**
 * Writes embeddings in the form that the path's ending names: `.safetensors` (tensor `embeddings`, the rest in its
 * metadata), `.npy` (with `.npy.json` beside it for the rest), `.jsonl` (one object a line).
 * The path holds either the old file or the whole new one.
 *
 * @throws `usage` for another ending, `io`
 */
export const writeEmbeddings = (path: string, embeddings: Embeddings): Promise<void> =>
  formatOf(path).write(path, embeddings);

/** @throws `usage` for another ending, `missing`, `io`, `format` when it is no file of embeddings */
export const readEmbeddings = (path: string): Promise<Embeddings> => formatOf(path).read(path);

/** Whether the path's ending is one of these forms. */
export const isEmbeddingsFile = (path: string): boolean => formats[extname(path)] !== undefined;

/** @throws `usage` when the ending names no form */
export function formatOf(path: string): Format {
  const format = formats[extname(path)];
  if (format === undefined)
    throw new CliptError("usage", `${path}: embeddings are written as ${Object.keys(formats).join(", ")}.`);
  return format;
}

const formats: Readonly<Record<string, Format>> = {
  ".safetensors": {
    write: (path, { identity, items, vectors }) =>
      saveSafetensors(path, [["embeddings", vectors]], { identity, items: JSON.stringify(items) }),
    async read(path) {
      const file = await openWeights(path);
      try {
        if (!file.names().includes("embeddings")) throw notEmbeddings(path);
        const { identity, items = "" } = file.metadata;
        return checked(path, { identity, items: parse(items) }, await file.read("embeddings"));
      } finally {
        await file.close();
      }
    },
  },
  ".npy": {
    async write(path, { identity, items, vectors }) {
      await replaceFile(path, npyChunks(vectors));
      await replaceFile(`${path}.json`, [new TextEncoder().encode(JSON.stringify({ identity, items }))]);
    },
    async read(path) {
      const file = await openWeights(path);
      try {
        const [name = ""] = file.names();
        return checked(path, await readJson(`${path}.json`), await file.read(name));
      } finally {
        await file.close();
      }
    },
  },
  ".jsonl": {
    write: (path, embeddings) => replaceFile(path, jsonlChunks(embeddings)),
    async read(path) {
      const lines = (await readLines(path)).map((line) => parse(line) as Partial<Line> | undefined);
      const first = lines[0]?.embedding;
      const width = Array.isArray(first) ? first.length : 0;
      const data = new Float32Array(lines.length * width);
      for (const [i, line] of lines.entries()) {
        if (!isVector(line?.embedding, width) || line.identity !== lines[0]?.identity)
          throw notEmbeddings(path);
        data.set(line.embedding, i * width);
      }
      const items = lines.map((line) => line?.item);
      return checked(path, { identity: lines[0]?.identity, items }, f32([lines.length, width], data));
    },
  },
};

interface Line {
  readonly item: string;
  readonly identity: string;
  readonly embedding: readonly number[];
}

const isVector = (value: unknown, width: number): value is number[] =>
  Array.isArray(value) && value.length === width && value.every((number) => typeof number === "number");

function checked(path: string, rest: unknown, vectors: Tensor): Embeddings {
  const { identity, items } = (rest ?? {}) as { identity?: unknown; items?: unknown };
  const isText = (value: unknown): value is string => typeof value === "string";
  if (!isText(identity) || !Array.isArray(items) || !items.every(isText)) throw notEmbeddings(path);
  if (vectors.shape.length !== 2 || vectors.shape[0] !== items.length) throw notEmbeddings(path);
  return { identity, items, vectors: toFloat32(vectors) };
}

const notEmbeddings = (path: string): CliptError =>
  new CliptError("format", `${path} holds no embeddings as \`clipt embed\` writes them.`);

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** @source NumPy, "The .npy format" (NEP 1), version 1: the header ends on a multiple of 64 bytes */
function* npyChunks(vectors: Tensor<"float32">): Generator<Uint8Array> {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${vectors.shape.join(", ")}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64;
  const header = Buffer.alloc(length, " ");
  header.write("\x93NUMPY\x01\x00", 0, "latin1");
  header.writeUInt16LE(length - 10, 8);
  header.write(text, 10, "latin1");
  header.write("\n", length - 1, "latin1");
  yield header;
  yield bytesOf(vectors);
}

function* jsonlChunks({ identity, items, vectors }: Embeddings): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  const [, width = 0] = vectors.shape;
  for (const [i, item] of items.entries()) {
    const embedding = [...vectors.data.subarray(i * width, (i + 1) * width)];
    yield encoder.encode(`${JSON.stringify({ item, identity, embedding } satisfies Line)}\n`);
  }
}
