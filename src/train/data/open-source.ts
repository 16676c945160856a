import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";
import { CliptError, readError } from "../../tensor/index.js";
import { expandBraces } from "./braces.js";
import { readCaptions, withCaptions, withLanguage } from "./captions.js";
import { folderShard } from "./folder-source.js";
import { jsonlShard } from "./jsonl-source.js";
import { isPicture } from "./sample.js";
import { type Shard, type Source } from "./source.js";
import { tableShard, type TableOptions } from "./table-source.js";
import { tarShard } from "./tar-source.js";

export interface SourceOptions extends TableOptions {
  /** Language of the source's own captions, where known. */
  readonly language?: string;
  /** Side files with captions by key, joined to the source's own: `readCaptions` tells their form. */
  readonly captions?: readonly string[];
  /** Part of CLIP_benchmark's folder layout; "test" when absent. */
  readonly split?: string;
}

/**
 * Opens a data set by what the user wrote: a file, a folder, a glob, brace ranges, each naming WebDataset archives
 * (`.tar`), tables (`.csv`, `.tsv`), JSON lines (`.jsonl`, also `.gz`), a folder of these, a folder of pictures, or
 * CLIP_benchmark's layout (`test/nshards.txt`, `test/0.tar`, …).
 *
 * @throws `missing` when nothing is there, `input` for an empty folder, `unsupported` for another kind of file
 */
export async function openSource(expression: string, options: SourceOptions = {}): Promise<Source> {
  const paths = (await Promise.all(expandBraces(expression).map(findPaths))).flat();
  if (paths.length === 0) throw new CliptError("missing", `Nothing matches "${expression}".`);
  const shards = paths.flatMap((path) => openPath(path, options));
  let source: Source = { name: expression, shards };
  if (options.language !== undefined) source = withLanguage(source, options.language);
  for (const file of options.captions ?? []) source = withCaptions(source, await readCaptions(file));
  return source;
}

/** Sources joined by "::", with open_clip's `--train-data-upsampling-factors` ("1::0.5") or 1 each. */
export async function openMixture(
  expression: string,
  options: SourceOptions & { readonly upsamplingFactors?: string } = {},
): Promise<Weighted[]> {
  const expressions = expression.split("::");
  const factors = options.upsamplingFactors?.split("::").map(Number) ?? expressions.map(() => 1);
  if (factors.length !== expressions.length || factors.some((factor) => !(factor > 0 && factor < Infinity)))
    throw new CliptError(
      "usage",
      `Upsampling factors "${options.upsamplingFactors}" must be ${expressions.length} positive numbers joined by "::", one for each data set.`,
    );
  return Promise.all(
    expressions.map(async (part, i) => ({
      source: await openSource(part, options),
      factor: factors[i] ?? 1,
    })),
  );
}

/** A source of a mixture. A factor of 2 shows each of its samples twice an epoch, 0.5 shows half of them. */
export interface Weighted {
  readonly source: Source;
  readonly factor: number;
}

async function findPaths(path: string): Promise<string[]> {
  if (existsSync(path)) return [path];
  if (!isDynamicPattern(path)) throw new CliptError("missing", `${path} does not exist.`);
  return (await glob(path.replaceAll("\\", "/"), { onlyFiles: false, expandDirectories: false })).sort();
}

function openPath(path: string, options: SourceOptions): Shard[] {
  try {
    return statSync(path).isDirectory() ? openFolder(path, options) : [openFile(path, options)];
  } catch (error) {
    throw readError(path, error);
  }
}

function openFolder(folder: string, options: SourceOptions): Shard[] {
  const part = [folder, join(folder, options.split ?? "test")].find((at) =>
    existsSync(join(at, "nshards.txt")),
  );
  if (part !== undefined) {
    const count = Number(readFileSync(join(part, "nshards.txt"), "utf8"));
    if (!Number.isInteger(count) || count < 1)
      throw new CliptError("format", `${join(part, "nshards.txt")} must hold the number of archives.`);
    return Array.from({ length: count }, (_, i) => tarShard(join(part, `${i}.tar`)));
  }
  const names = readdirSync(folder).sort();
  if (names.length === 0)
    throw new CliptError(
      "input",
      `${folder} is empty; archives (.tar), tables (.csv, .tsv, .jsonl) or pictures are read.`,
    );
  const lists = names.filter((name) => /\.(tar|csv|tsv|jsonl)$/i.test(name));
  const archives = lists.filter((name) => name.endsWith(".tar"));
  if (archives.length > 0) return archives.map((name) => tarShard(join(folder, name)));
  // Hugging Face's name for a list of the pictures beside it. Other tables among pictures may be anything.
  const chosen = names.some(isPicture) ? lists.filter((name) => name === "metadata.jsonl") : lists;
  if (chosen.length > 0) return chosen.map((name) => openFile(join(folder, name), options));
  return [folderShard(folder)];
}

function openFile(path: string, options: SourceOptions): Shard {
  if (/\.tar$/i.test(path)) return tarShard(path);
  if (/\.(csv|tsv)(\.gz)?$/i.test(path)) return tableShard(path, options);
  if (/\.(jsonl|ndjson)(\.gz)?$/i.test(path)) return jsonlShard(path);
  throw new CliptError(
    "unsupported",
    `${path} is no data set: a folder, .tar, .csv, .tsv or .jsonl is read${/\.tar\.|\.tgz$/i.test(path) ? "; unpack the archive's compression first" : ""}.`,
  );
}
