import { readdir, readFile } from "node:fs/promises";
import { join, parse as parsePath, relative, sep } from "node:path";
import { messageOf, readError } from "../../tensor/index.js";
import { captionsOf, isPicture, type Sample } from "./sample.js";
import type { Report, Shard } from "./source.js";
import { textsInJson } from "./tar-source.js";

/**
 * A folder of pictures, searched to any depth. With a `.txt` (captions, one a line) or `.json` beside a picture these are
 * its captions. Without any such file, the folders directly inside are classes, numbered in the order of their names.
 */
export function folderShard(folder: string): Shard {
  return {
    name: folder,
    list: true,
    async *samples(report) {
      try {
        const files = await listFiles(folder);
        const names = new Set(files);
        const captioned = files.some((file) => isPicture(file) && sidecar(file, names) !== undefined);
        const classes = captioned ? [] : classNames(files);
        for (const file of files) {
          if (!isPicture(file)) continue;
          const sample = { key: stem(file), shard: folder, image: { path: join(folder, file), offset: 0 } };
          const text = sidecar(file, names);
          if (text !== undefined) yield* withSidecar(sample, join(folder, text), report);
          else yield { ...sample, captions: [], ...classOf(file, classes) };
        }
      } catch (error) {
        report({ shard: folder, reason: messageOf(readError(folder, error)) });
      }
    },
  };
}

/** Paths from the folder with "/" between their parts, sorted; names that start with a dot are left out. */
async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((file) => !/(^|\/)\./.test(file))
    .sort();
}

const stem = (file: string): string => file.slice(0, file.length - parsePath(file).ext.length);

const sidecar = (file: string, names: ReadonlySet<string>): string | undefined =>
  [".txt", ".json"].map((ending) => stem(file) + ending).find((name) => names.has(name));

async function* withSidecar(
  sample: Omit<Sample, "captions">,
  path: string,
  report: Report,
): AsyncGenerator<Sample> {
  const skip = (reason: string) => report({ shard: sample.shard, key: sample.key, reason });
  try {
    const text = await readFile(path, "utf8");
    const texts = path.endsWith(".json") ? textsInJson(text) : text.split("\n");
    if (texts === undefined) skip("its .json is not a JSON object");
    else yield { ...sample, captions: captionsOf(texts) };
  } catch (error) {
    skip(messageOf(readError(path, error)));
  }
}

const classNames = (files: readonly string[]): string[] => {
  const folders = files.filter((file) => isPicture(file) && file.includes("/"));
  return [...new Set(folders.map((file) => file.slice(0, file.indexOf("/"))))].sort();
};

function classOf(file: string, classes: readonly string[]): { label?: number; className?: string } {
  const label = classes.indexOf(file.slice(0, Math.max(0, file.indexOf("/"))));
  const name = classes[label];
  return name === undefined ? {} : { label, className: name.replaceAll("_", " ") };
}
