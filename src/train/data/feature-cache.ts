import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename, rm, writeFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import {
  CliptError,
  arrayOf,
  byteSize,
  float16ToFloat32,
  messageOf,
  random,
  tensor,
  toFloat16,
  readError,
  type Seed,
} from "../../tensor/index.js";
import type { RowReader } from "./row-reader.js";
import { type Sample } from "./sample.js";

/** What the rows of a cache are. */
export interface FeatureLayout {
  /**
   * Everything that the features depend on: weights of the tower, preprocessing, augmentation, data. A cache is used
   * only when this text is the same.
   */
  readonly identity: string;
  readonly rowShape: readonly number[];
  readonly dtype: "float32" | "float16";
  /** Rows of each sample: its augmented versions; 1 without augmentation. */
  readonly versions: number;
}

/** Rows of a frozen tower's features on disk, read one at a time from anywhere. */
export interface FeatureCache extends FeatureLayout {
  /** Keys of the samples in the order in which they were written. */
  readonly keys: readonly string[];
  has(key: string): boolean;
  /**
   * One version of a sample's features as float32.
   *
   * @throws `missing` for an unknown key or version, `io`
   */
  read(key: string, version?: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Writes a cache, sample after sample. It exists for readers only after `finish`. */
export interface FeatureWriter {
  /**
   * Appends the rows of one sample, one for each version. Calls must follow each other; after an error nothing stays.
   *
   * @throws `shape` for a wrong number of rows or values, `input` for a key that was written before, `io` (disk full)
   */
  write(key: string, rows: readonly Float32Array[]): Promise<void>;
  /** Completes the cache and opens it. */
  finish(): Promise<FeatureCache>;
  /** Gives up; nothing stays on disk. */
  abandon(): Promise<void>;
}

const ROWS = "rows.bin";
/** Is written last: a folder without it is no cache. */
const INDEX = "index.json";

interface Index extends FeatureLayout {
  readonly keys: readonly string[];
}

/**
 * Opens the features of this identity and layout in a cache folder; undefined when there are none or they are not whole.
 *
 * @throws `io`
 */
export async function openFeatureCache(
  cacheFolder: string,
  layout: FeatureLayout,
): Promise<FeatureCache | undefined> {
  const folder = folderOf(cacheFolder, layout);
  const index = await readIndex(folder);
  if (index === undefined || describe(index) !== describe(layout)) return undefined;
  const file = await open(join(folder, ROWS), "r").catch((error: unknown) => {
    throw readError(join(folder, ROWS), error);
  });
  const rowBytes = bytesOfRow(layout);
  if ((await file.stat()).size !== index.keys.length * layout.versions * rowBytes) {
    await file.close();
    return undefined;
  }
  const places = new Map(index.keys.map((key, i) => [key, i]));
  return {
    ...layout,
    keys: index.keys,
    has: (key) => places.has(key),
    read: async (key, version = 0) => {
      const place = places.get(key);
      if (place === undefined || !(version >= 0 && version < layout.versions))
        throw new CliptError("missing", `${folder} holds no features of "${key}", version ${version}.`);
      return readRow(file, (place * layout.versions + version) * rowBytes, layout);
    },
    close: () => file.close(),
  };
}

/**
 * Starts to fill the cache of this identity and layout. Rows gather in a folder beside its own, which takes that name
 * when it is complete: a crash leaves the old features or none. What an interrupted run left is removed.
 *
 * @throws `io`
 */
export async function createFeatureCache(cacheFolder: string, layout: FeatureLayout): Promise<FeatureWriter> {
  const folder = folderOf(cacheFolder, layout);
  const partial = `${folder}.partial`;
  const doing = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw writeError(partial, error);
    });
  await doing(rm(partial, { recursive: true, force: true }));
  await doing(mkdir(partial, { recursive: true }));
  const file = await doing(open(join(partial, ROWS), "w"));
  const keys = new Set<string>();
  const abandon = async (): Promise<void> => {
    await file.close();
    await doing(rm(partial, { recursive: true, force: true }));
  };
  return {
    async write(key, rows) {
      if (keys.has(key)) throw new CliptError("input", `The features of "${key}" were written before.`);
      if (rows.length !== layout.versions)
        throw new CliptError(
          "shape",
          `"${key}" has ${rows.length} rows of features; ${layout.versions} were expected.`,
        );
      const bytes = Buffer.concat(rows.map((row) => packRow(row, layout)));
      try {
        await doing(file.appendFile(bytes));
      } catch (error) {
        // Half of a row may be there now, and the disk needs its space back.
        await abandon();
        throw error;
      }
      keys.add(key);
    },
    async finish() {
      const index: Index = { ...layout, keys: [...keys] };
      await doing(file.sync());
      await doing(file.close());
      await doing(writeFile(join(partial, INDEX), JSON.stringify(index), { flush: true }));
      await doing(rm(folder, { recursive: true, force: true }));
      await doing(rename(partial, folder));
      const cache = await openFeatureCache(cacheFolder, layout);
      if (cache === undefined) throw new CliptError("io", `${folder} is not what was just written to it.`);
      return cache;
    },
    abandon,
  };
}

/** Draws rows of features where a loader would decode pictures; the seed chooses among the versions. */
export const openFeatureRows = (cache: FeatureCache): RowReader => ({
  shape: cache.rowShape,
  parallel: 8,
  read: async (sample: Sample, seed?: Seed) => {
    if (!cache.has(sample.key)) return { reason: "it has no cached features" };
    return cache.read(sample.key, seed === undefined ? 0 : random(seed).int(cache.versions));
  },
  close: () => cache.close(),
});

/** Features of several identities and layouts live side by side. */
const folderOf = (cacheFolder: string, layout: FeatureLayout): string => {
  const hash = createHash("sha256").update(describe(layout)).digest("hex").slice(0, 16);
  return join(cacheFolder, `features-${hash}`);
};

const describe = ({ identity, rowShape, dtype, versions }: FeatureLayout): string =>
  JSON.stringify([identity, rowShape, dtype, versions]);

const lengthOfRow = ({ rowShape }: FeatureLayout): number =>
  rowShape.reduce((size, length) => size * length, 1);
const bytesOfRow = (layout: FeatureLayout): number => lengthOfRow(layout) * byteSize(layout.dtype);

async function readIndex(folder: string): Promise<Index | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, INDEX), "utf8")) as Index;
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (absent || error instanceof SyntaxError) return undefined;
    throw readError(join(folder, INDEX), error);
  }
}

async function readRow(file: FileHandle, at: number, layout: FeatureLayout): Promise<Float32Array> {
  const stored = new arrayOf[layout.dtype](lengthOfRow(layout));
  const { bytesRead } = await file.read(stored, 0, stored.byteLength, at);
  if (bytesRead !== stored.byteLength)
    throw new CliptError("io", `The feature cache ends inside of a row, at byte ${at}.`);
  if (stored instanceof Float32Array) return stored;
  const row = new Float32Array(stored.length);
  float16ToFloat32(stored as Uint16Array, row);
  return row;
}

function packRow(row: Float32Array, layout: FeatureLayout): Uint8Array {
  const whole = tensor("float32", layout.rowShape, row);
  const { data } = layout.dtype === "float16" ? toFloat16(whole) : whole;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** What a failed write means. */
function writeError(path: string, error: unknown): CliptError {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return ["ENOSPC", "EDQUOT", "EFBIG"].includes(code)
    ? new CliptError(
        "io",
        `No space left for the feature cache in ${path}; free some or choose another folder.`,
        { cause: error },
      )
    : new CliptError("io", `The feature cache in ${path} cannot be written: ${messageOf(error)}`, {
        cause: error,
      });
}
