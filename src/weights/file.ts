import { readSync } from "node:fs";
import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { CliptError, readError, type Tensor } from "../tensor/index.js";
import { head } from "./bytes.js";
import { openNpy, openNpz } from "./npy.js";
import { isLegacy, loadPyTorch, openPyTorch, type Plain, stateDict } from "./pytorch/index.js";
import { readSafetensorsHeader, safetensorsHeaderSize } from "./safetensors.js";
import { openShards } from "./shards.js";
import type { Source } from "./source.js";
import { decodeStored, type Stored } from "./stored.js";
import type { WeightsFile } from "./weights-file.js";
import { readZip } from "./zip.js";

/** Files that hold a model's weights in a folder, best first: OpenCLIP's order, then shards. */
const preferred = [
  "open_clip_model.safetensors",
  "open_clip_pytorch_model.safetensors",
  "open_clip_pytorch_model.bin",
  "open_clip_pytorch_model.pth",
  "model.safetensors",
  "model.safetensors.index.json",
  "pytorch_model.bin",
  "pytorch_model.pth",
  "model.pth",
  "pytorch_model.bin.index.json",
];

/**
 * Opens weights of any published kind: safetensors, PyTorch files, NumPy arrays, an index of shards,
 * or a folder that holds one of these. The content decides, not the extension.
 *
 * @throws `missing` when nothing is there, `format` when it is damaged or hostile, `unsupported` for other kinds
 */
export async function openWeights(path: string): Promise<WeightsFile> {
  const info = await stat(path).catch((cause: unknown) => {
    throw readError(path, cause);
  });
  if (info.isDirectory()) return openWeights(join(path, await choose(path)));
  if (path.endsWith(".index.json")) return openShards(path, openWeights);
  return openFile(path);
}

/** All tensors of weights of any published kind, in memory. @throws as `openWeights` */
export async function readWeights(path: string): Promise<Map<string, Tensor>> {
  const file = await openWeights(path);
  try {
    const tensors = new Map<string, Tensor>();
    for (const name of file.names()) tensors.set(name, await file.read(name));
    return tensors;
  } finally {
    await file.close();
  }
}

/**
 * What a PyTorch file's outermost dictionary holds under these keys; nothing else of it is read.
 *
 * @returns the entries that are there
 * @throws  `format` when it is no such file, or is damaged or hostile
 */
export async function readPyTorchEntries(
  path: string,
  keys: readonly string[],
): Promise<Map<string, Plain<Tensor>>> {
  const file = await open(path).catch((cause: unknown) => {
    throw readError(path, cause);
  });
  try {
    const { size } = await file.stat();
    return await located(path, () => {
      const source = fileSource(file, size);
      const root = openPyTorch(source);
      if (!(root instanceof Map)) throw new CliptError("format", "The PyTorch file holds no dictionary.");
      return new Map(
        keys.filter((key) => root.has(key)).map((key) => [key, loadPyTorch(source, root.get(key)!)]),
      );
    });
  } finally {
    await file.close();
  }
}

async function choose(folder: string): Promise<string> {
  const files = await readdir(folder);
  const known = preferred.find((name) => files.includes(name));
  if (known !== undefined) return known;
  const ending = (pattern: RegExp) =>
    files.filter((name) => pattern.test(name) && !name.startsWith("golden"));
  const safe = ending(/\.safetensors$/);
  const others = safe.length > 0 ? safe : ending(/\.(bin|pth?)$/);
  const [only] = others;
  if (only !== undefined && others.length === 1) return only;
  throw new CliptError(
    "missing",
    others.length === 0
      ? `${folder} holds no weights: none of ${preferred.join(", ")}.`
      : `${folder} holds several files of weights (${others.join(", ")}): name one of them.`,
  );
}

async function openFile(path: string): Promise<WeightsFile> {
  const file = await open(path).catch((cause: unknown) => {
    throw readError(path, cause);
  });
  try {
    const { size } = await file.stat();
    const { entries, metadata } = await located(path, () => readDirectory(fileSource(file, size)));
    const find = (name: string): Stored => {
      const entry = entries.get(name);
      if (entry === undefined) throw new CliptError("missing", `${path} holds no tensor "${head(name)}".`);
      return entry;
    };
    return {
      path,
      metadata,
      names: () => [...entries.keys()],
      entry: (name) => {
        const { dtype, shape } = find(name);
        return { dtype, shape };
      },
      read: (name) =>
        located(path, async () => {
          const stored = find(name);
          return decodeStored(stored, await readBytes(file, stored.begin, stored.end));
        }),
      location: (name) => {
        const { begin, end, decode } = find(name);
        return decode === undefined ? { path, offset: begin, length: end - begin } : undefined;
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface Directory {
  readonly entries: ReadonlyMap<string, Stored>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a file holds; its first bytes tell its kind. */
function readDirectory(source: Source): Directory {
  const start = source.read(0, Math.min(source.size, 64));
  // Not TextDecoder: its "latin1" is Windows-1252, where 0x93 is a quotation mark.
  const text = String.fromCharCode(...start);
  if (text.startsWith("version https://git-lfs"))
    throw new CliptError(
      "format",
      "It is a Git LFS pointer, not the weights themselves: run `git lfs pull`.",
    );
  if (text.startsWith("PK\u0003\u0004")) {
    const packed = [...readZip(source).keys()].every((name) => name.endsWith(".npy"));
    return { entries: packed ? openNpz(source) : stateDict(openPyTorch(source)), metadata: {} };
  }
  if (text.startsWith("\u0093NUMPY")) return { entries: new Map([["array", openNpy(source)]]), metadata: {} };
  if (isLegacy(source)) return { entries: stateDict(openPyTorch(source)), metadata: {} };
  return readSafetensorsHeader(source.read(0, safetensorsHeaderSize(start, source.size)), source.size);
}

/** A file whose directory is read at once: it is small, and the readers of formats stay plain functions. */
const fileSource = (file: FileHandle, size: number): Source => ({
  size,
  read(begin, end) {
    const bytes = new Uint8Array(end - begin);
    for (let done = 0; done < bytes.length;) {
      const count = readSync(file.fd, bytes, done, bytes.length - done, begin + done);
      if (count === 0) throw shortened();
      done += count;
    }
    return bytes;
  },
});

async function readBytes(file: FileHandle, begin: number, end: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - begin);
  for (let done = 0; done < bytes.length;) {
    // One call of the system reads at most 2 GiB.
    const length = Math.min(bytes.length - done, 2 ** 30);
    const { bytesRead } = await file.read(bytes, done, length, begin + done);
    if (bytesRead === 0) throw shortened();
    done += bytesRead;
  }
  return bytes;
}

/** The same work, with the file's path in front of what goes wrong. */
async function located<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CliptError)) throw readError(path, error);
    if (error.message.includes(path)) throw error;
    throw new CliptError(error.code, `${path}: ${error.message}`, { cause: error });
  }
}

const shortened = () => new CliptError("io", "The file became shorter while it was read.");
