import { readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { formatNames } from "../input/image/formats/sniff.js";
import { CliptError, readError } from "../tensor/index.js";
import { isPicture, type Sample } from "../train/data/sample.js";
import type { PictureFile } from "./picture-file.js";
import type { Context } from "./task.js";

/** What a search for pictures leaves out. */
export interface LeaveOut {
  /** Is told of a folder before its names are judged. */
  enter(folder: string): Promise<void>;
  leavesOut(path: string, isFolder: boolean): boolean;
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
  leaveOut?: LeaveOut,
): Promise<PictureFile[]> {
  const found: PictureFile[] = [];
  const failures: CliptError[] = [];
  const visited = new Set<string>();
  const skip = (path: string, cause: unknown): void => {
    const error = readError(path, cause);
    failures.push(error);
    context.emit({ kind: "skipped", item: path, reason: error.message });
  };

  const visitFolder = async (folder: string): Promise<void> => {
    // A link may lead back up.
    const real = await realpath(folder);
    if (visited.has(real)) return;
    visited.add(real);
    const names = (await readdir(folder)).filter((name) => !name.startsWith("."));
    await leaveOut?.enter(folder);
    await visitAll(
      names.sort().map((name) => join(folder, name)),
      false,
    );
  };
  const visitAll = async (places: readonly string[], named: boolean): Promise<void> => {
    context.signal.throwIfAborted();
    // All are asked at once, and taken in their order.
    const infos = await Promise.allSettled(places.map((place) => stat(place)));
    for (const [i, place] of places.entries()) {
      const info = infos[i]!;
      if (info.status === "rejected") {
        if (named && places.length === 1) throw readError(place, info.reason);
        const gone = !named && readError(place, info.reason).code === "missing";
        if (!gone) skip(place, info.reason);
        else if (isPicture(place)) skip(place, new CliptError("missing", `${place} ${whyGone(place)}`));
        continue;
      }
      const { value } = info;
      if (!named && leaveOut?.leavesOut(place, value.isDirectory()) === true) continue;
      if (value.isFile() && (named || isPicture(place)))
        found.push({ path: place, size: value.size, mtimeMs: value.mtimeMs });
      if (!value.isDirectory()) continue;
      try {
        await visitFolder(place);
      } catch (cause) {
        if (context.signal.aborted) throw cause;
        skip(place, cause);
      }
    }
  };

  await visitAll(paths, true);
  const [first] = failures;
  if (found.length === 0 && first !== undefined) throw first;
  if (found.length === 0)
    throw new CliptError("input", `${paths.join(", ")}: no picture there. ${formatNames} are read.`);
  return found;
}

/** Why a name that its folder lists leads nowhere. */
const whyGone = (path: string): string =>
  path.includes("\ufffd")
    ? "has a name that is not UTF-8, and cannot be opened: rename it."
    : "leads nowhere: a broken link, or it was deleted just now.";
