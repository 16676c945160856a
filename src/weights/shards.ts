import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CliptError, parseJson, readError } from "../tensor/index.js";
import { head } from "./bytes.js";
import type { WeightsFile } from "./weights-file.js";

/** Hugging Face's index of shards: which tensor lies in which file of the same folder. */
export async function openShards(
  path: string,
  open: (path: string) => Promise<WeightsFile>,
): Promise<WeightsFile> {
  const owners = await readIndex(path);
  const shards = new Map<string, WeightsFile>();
  const close = async () => {
    for (const shard of shards.values()) await shard.close();
  };
  try {
    for (const file of new Set(owners.values())) shards.set(file, await open(join(dirname(path), file)));
    for (const [name, file] of owners) shards.get(file)?.entry(name);
  } catch (error) {
    await close();
    throw error;
  }
  const find = (name: string): WeightsFile => {
    const shard = shards.get(owners.get(name) ?? "");
    if (shard === undefined) throw new CliptError("missing", `${path} names no tensor "${head(name)}".`);
    return shard;
  };
  return {
    path,
    metadata: Object.assign({}, ...[...shards.values()].map((shard) => shard.metadata)) as Record<
      string,
      string
    >,
    names: () => [...owners.keys()],
    entry: (name) => find(name).entry(name),
    read: async (name) => find(name).read(name),
    location: (name) => find(name).location(name),
    close,
  };
}

async function readIndex(path: string): Promise<Map<string, string>> {
  let index: unknown;
  try {
    index = parseJson(await readFile(path, "utf8"), path);
  } catch (cause) {
    throw readError(path, cause);
  }
  const { weight_map: map } = (index ?? {}) as { weight_map?: unknown };
  const owners = Object.entries((map ?? {}) as Record<string, unknown>);
  if (owners.length === 0) throw new CliptError("format", `${path} has no weight_map that names tensors.`);
  return new Map(
    owners.map(([name, file]) => {
      // A shard lies beside its index: a path could lead anywhere.
      if (typeof file !== "string" || !/^[\w][\w.-]*\.(safetensors|bin|pt|pth)$/.test(file))
        throw new CliptError(
          "format",
          `${path} names ${typeof file === "string" ? `"${head(file)}"` : "no text"} as a file, which is none beside it.`,
        );
      return [name, file];
    }),
  );
}
