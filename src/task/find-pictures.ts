import { readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { CliptError, readError } from "../tensor/index.js";
import { isPicture, type Sample } from "../train/data/sample.js";
import type { Context } from "./task.js";

/** A picture's file. Equal size and time mean an unchanged file. */
export interface PictureFile {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** The file as a sample: what decoders read. */
export const sampleOf = ({ path }: PictureFile): Sample => ({
  key: path,
  shard: path,
  image: { path, offset: 0 },
  captions: [],
});

/**
 * The pictures that paths name: a file is itself, a folder is searched to any depth for names with a picture's ending.
 * Hidden names are left out; what cannot be read is skipped.
 *
 * @throws `missing`, `io` when nothing at all can be read, `input` when there is no picture
 */
export async function findPictures(
  paths: readonly string[],
  context: Pick<Context, "emit" | "signal">,
): Promise<PictureFile[]> {
  const found: PictureFile[] = [];
  const failures: CliptError[] = [];
  const visited = new Set<string>();
  const skip = (path: string, cause: unknown): void => {
    const error = readError(path, cause);
    failures.push(error);
    context.emit({ kind: "skipped", item: path, reason: error.message });
  };

  const visit = async (path: string, named: boolean): Promise<void> => {
    context.signal.throwIfAborted();
    try {
      const info = await stat(path);
      if (info.isDirectory()) await visitFolder(path);
      else if (info.isFile() && (named || isPicture(path)))
        found.push({ path, size: info.size, mtimeMs: info.mtimeMs });
    } catch (cause) {
      if (context.signal.aborted) throw cause;
      skip(path, cause);
    }
  };
  const visitFolder = async (folder: string): Promise<void> => {
    // A link may lead back up.
    const real = await realpath(folder);
    if (visited.has(real)) return;
    visited.add(real);
    const names = (await readdir(folder)).filter((name) => !name.startsWith("."));
    for (const name of names.sort()) await visit(join(folder, name), false);
  };

  for (const path of paths) await visit(path, true);
  const [first] = failures;
  if (found.length === 0 && first !== undefined) throw first;
  if (found.length === 0)
    throw new CliptError(
      "input",
      `${paths.join(", ")}: no picture there. JPEG, PNG, WebP, GIF, TIFF, BMP and AVIF are read.`,
    );
  return found;
}
