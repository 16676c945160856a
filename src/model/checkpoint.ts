import { readFile, readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CliptError, flatten, messageOf } from "../tensor/index.js";
import { canonical, checkWeights, dequantised, openWeights, type WeightsFile } from "../weights/index.js";
import { clipSpec } from "./clip.js";
import { families, type Description, type Family } from "./families/index.js";
import { isSpec } from "./spec.js";

/** A published model on disk, understood and checked; its numbers are still in their file. */
export interface Checkpoint extends Description {
  /** Name of the family whose files these are. */
  readonly family: string;
  /** Where the files beside the weights lie. */
  readonly folder: string;
  /** The file of weights. */
  readonly path: string;
  /** Exactly the weights of `clipSpec(config)`, under canonical names. */
  readonly weights: WeightsFile;
}

export interface CheckpointOptions {
  /** Another name for the family's file of configuration: "config.legacy.json". */
  readonly configFile?: string | undefined;
}

/**
 * Opens a model folder, or a file of weights with what lies beside it.
 *
 * @throws `missing`, `io`; `format` when files are damaged or the weights are not those of the configuration;
 *         `unsupported` when no family owns it
 */
export async function openCheckpoint(path: string, options: CheckpointOptions = {}): Promise<Checkpoint> {
  const published = dequantised(await openWeights(path));
  try {
    const folder = (await isFolder(path)) ? path : dirname(path);
    const names = published.names();
    const read = (name: string) => readJson(folder, name);
    const { family, config } = await ownerOf(names, read, options.configFile, path);
    const description = family.describe({
      config,
      preprocessor: await read("preprocessor_config.json"),
      tokenizer: await read("tokenizer_config.json"),
      shapes: new Map(names.map((name) => [name, published.entry(name).shape])),
    });
    const weights = canonical(published, description.layout);
    check(description, weights);
    return { ...description, family: family.name, folder, path: published.path, weights };
  } catch (error) {
    await published.close();
    if (!(error instanceof CliptError) || error.message.includes(path)) throw error;
    throw new CliptError(error.code, `${path}: ${error.message}`, { cause: error });
  }
}

type Read = (name: string) => Promise<unknown>;

async function ownerOf(
  names: readonly string[],
  read: Read,
  configFile: string | undefined,
  path: string,
): Promise<{ family: Family; config: unknown }> {
  for (const family of families) {
    const config = family.configFile === undefined ? undefined : await read(configFile ?? family.configFile);
    if (family.owns(names, config)) return { family, config };
  }
  throw new CliptError(
    "unsupported",
    `${path} is no model that clipt knows: no config.json or open_clip_config.json beside it describes tensors such as ` +
      `${names.slice(0, 3).join(", ")}.`,
  );
}

function check({ config }: Description, weights: WeightsFile): void {
  const expected = new Map([...flatten(clipSpec(config), isSpec)].map(([name, { shape }]) => [name, shape]));
  const got = new Map(weights.names().map((name) => [name, weights.entry(name)]));
  checkWeights(expected, got);
}

const isFolder = async (path: string): Promise<boolean> => (await stat(path)).isDirectory();

/** Undefined when the file is not there. */
async function readJson(folder: string, name: string): Promise<unknown> {
  // The names of a folder are listed first: not there is no error, and anything else is.
  if (!(await readdir(folder)).includes(basename(name))) return undefined;
  const path = join(folder, name);
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    const code = cause instanceof SyntaxError ? "format" : "io";
    throw new CliptError(code, `${path} cannot be read as JSON: ${messageOf(cause)}.`, { cause });
  }
}
