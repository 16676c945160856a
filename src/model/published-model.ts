import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { CliptError, f32, flatten } from "../tensor/index.js";
import {
  canonical,
  checkWeights,
  dequantised,
  openWeights,
  publishedNames,
  withMade,
  type Made,
  type WeightsFile,
} from "../weights/index.js";
import { clipSpec } from "./clip.js";
import { families, type Description, type Family } from "./families/index.js";
import { stretchedPositions } from "./positions.js";
import { readJson } from "./read-json.js";
import { withSizes, type ForcedSizes } from "./sizes.js";
import { isSpec } from "./spec.js";
import { textFamilyOf } from "./text-tower.js";

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

export interface CheckpointOptions extends ForcedSizes {
  /** Another name for the family's file of configuration: "config.legacy.json". */
  readonly configFile?: string | undefined;
  /** Where a half lies that a `towers.json` names and that is not beside it: a model of the hub. */
  readonly locate?: ((name: string) => Promise<string>) | undefined;
}

/**
 * Opens a folder or file of weights that holds both towers, of any family.
 *
 * @throws as `openCheckpoint` does
 */
export async function openPublished(path: string, options: CheckpointOptions = {}): Promise<Checkpoint> {
  const published = dequantised(await openWeights(path));
  try {
    const folder = (await isFolder(path)) ? path : dirname(path);
    const names = published.names();
    const { family, config } = await ownerOf(published, folder, options.configFile);
    const described = family.describe({
      config,
      preprocessor: await readJson(folder, "preprocessor_config.json"),
      tokenizer: await readJson(folder, "tokenizer_config.json"),
      shapes: new Map(names.map((name) => [name, published.entry(name).shape])),
    });
    const description = withSizes(described, options);
    const named = canonical(published, description.layout);
    const stretched = stretchedPositions(described.config, description.config, named, description.positions);
    const weights = withMade(named, new Map([...stretched, ...absentZeros(description, named)]));
    checkModel(description, weights);
    return { ...description, family: family.name, folder, path: published.path, weights };
  } catch (error) {
    await published.close();
    if (!(error instanceof CliptError) || error.message.includes(path)) throw error;
    throw new CliptError(error.code, `${path}: ${error.message}`, { cause: error });
  }
}

/** Numbers that the model has and its project takes for 0 where a file has none. */
function absentZeros(
  { config, layout: { zeros = [] } }: Description,
  weights: WeightsFile,
): [string, Made][] {
  const held = new Set(weights.names());
  const wanted = flatten(clipSpec(config), isSpec);
  return zeros
    .filter((name) => wanted.has(name) && !held.has(name))
    .map((name) => [name, { dtype: "float32", shape: [], make: () => f32([], [0]) }]);
}

async function ownerOf(
  weights: WeightsFile,
  folder: string,
  configFile: string | undefined,
): Promise<{ family: Family; config: unknown }> {
  const { path } = weights;
  const names = weights.names();
  for (const family of families) {
    const beside = family.configFile === undefined ? undefined : (configFile ?? family.configFile);
    const config =
      carried(weights, family) ?? (beside === undefined ? undefined : await readJson(folder, beside));
    if (family.owns(names, config)) return { family, config };
  }
  const alone = await textFamilyOf(folder);
  if (alone !== undefined)
    throw new CliptError(
      "unsupported",
      `${path} is a text tower (${alone.name}) without an image tower: name both in a towers.json, ` +
        `{"image": FOLDER, "text": FOLDER}, and open that.`,
    );
  throw new CliptError(
    "unsupported",
    `${path} is no model that clipt knows: no config.json or open_clip_config.json beside it describes tensors such as ` +
      `${names.slice(0, 3).join(", ")}.`,
  );
}

/** The configuration that a file of weights carries in its metadata, under its family's name. */
function carried({ path, metadata }: WeightsFile, { name }: Family): unknown {
  const text = metadata[name];
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch (cause) {
    throw new CliptError("format", `${path}: its metadata "${name}" is not JSON.`, { cause });
  }
}

/** Checks that a file holds exactly the weights of a configuration. @throws `format` as `checkWeights` does */
export function checkModel({ config, layout }: Description, weights: WeightsFile): void {
  const expected = new Map([...flatten(clipSpec(config), isSpec)].map(([name, { shape }]) => [name, shape]));
  const got = new Map(weights.names().map((name) => [name, weights.entry(name)]));
  checkWeights(expected, got, (name) => {
    const published = publishedNames(layout, name).join(", ");
    return published === name ? name : `${name} (in the file ${published})`;
  });
}

const isFolder = async (path: string): Promise<boolean> => (await stat(path)).isDirectory();
