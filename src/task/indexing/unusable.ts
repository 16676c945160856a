import { packageVersion } from "../../package-root.js";
import type { Store } from "../../store/index.js";
import type { Broken } from "../../train/data/row-reader.js";
import type { PictureFile } from "../picture-file.js";

/** Files that could not be used, by path, as they were then. */
export type Unusable = ReadonlyMap<string, Stamp>;
type Stamp = readonly [size: number, modifiedMs: number];

const documentName = "unusable";

interface Kept {
  /** Another clipt may be able to read them. */
  readonly version: string;
  readonly files: readonly (readonly [path: string, ...Stamp])[];
}

/** What earlier runs kept. */
export async function readUnusable(store: Store): Promise<Unusable> {
  const kept = (await store.readDocument(documentName)) as Kept | undefined;
  if (kept?.version !== packageVersion()) return new Map();
  return new Map(kept.files.map(([path, ...stamp]) => [path, stamp]));
}

export async function writeUnusable(store: Store, unusable: Unusable): Promise<void> {
  const files = Array.from(unusable, ([path, stamp]) => [path, ...stamp] as const);
  await store.writeDocument(documentName, { version: packageVersion(), files } satisfies Kept);
}

export const stampOf = ({ size, mtimeMs }: PictureFile): Stamp => [size, Math.round(mtimeMs)];

/** Whether it is still the file that could not be used. */
export const isAmong = (unusable: Unusable, file: PictureFile): boolean =>
  unusable.get(file.path)?.join() === stampOf(file).join();

/** Whether the content is why: permissions and places change without it. */
export const isOfContent = ({ code }: Broken): boolean => code !== "io" && code !== "missing";
