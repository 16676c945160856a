import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { FileLocation } from "../graph/index.js";
import {
  clipSpec,
  initialise,
  openModel,
  openTokenizer,
  parseOpenClip,
  parseOpenClipPreprocess,
  tokenizerFileNames,
  withSizes,
  type Model,
} from "../model/index.js";
import { packageRoot } from "../package-root.js";
import { CliptError, flatten, isTensor, random, readError } from "../tensor/index.js";
import { readJson } from "./data/text-file.js";
import type { Run } from "./recipe.js";

/** A model to train: opened, or new. */
export type Start = Pick<
  Model,
  | "config"
  | "weights"
  | "locations"
  | "preprocess"
  | "tokenizer"
  | "tokenizerConfig"
  | "tokenizerFiles"
  | "identity"
>;

type StartOptions = Pick<Run, "model" | "tokenizer" | "imageSize" | "seed">;

/** A run with places where it names models; a JSON file is a new model's own. @throws what `locate` throws */
export async function locateModels(
  run: Run,
  locate: (model: string) => Promise<string> = (model) => Promise.resolve(model),
): Promise<Run> {
  const { model, distillModel } = run;
  return {
    ...run,
    model: model === undefined || model.endsWith(".json") ? model : await locate(model),
    distillModel: distillModel === undefined ? undefined : await locate(distillModel),
  };
}

/**
 * The model that a run starts from: a folder or checkpoint, or a new one from a JSON file with open_clip's
 * `model_cfg` (and `preprocess_cfg`).
 *
 * @param locate where a half of a `towers.json` lies that is not beside it
 * @throws `usage` without a model, `missing`, `format`, and what `openModel` throws
 */
export async function openStart(
  run: StartOptions,
  locate?: (model: string) => Promise<string>,
): Promise<Start> {
  if (run.model === undefined)
    throw new CliptError(
      "usage",
      "No model to start from: give --model (a folder, a checkpoint, or a JSON file with a model_cfg) or a recipe that names one.",
    );
  return run.model.endsWith(".json")
    ? newModel(run.model, run)
    : openModel(run.model, { imageSize: run.imageSize, inMemory: true, locate });
}

async function newModel(path: string, { tokenizer: file, seed, imageSize }: StartOptions): Promise<Start> {
  const json = (await readJson(path)) as Record<string, unknown>;
  const published = parseOpenClip(json["model_cfg"] ?? json);
  const tokenizerConfig = {
    kind: "clip-bpe",
    cleaning: "clip",
    pad: "zero",
    context: published.text.contextLength,
  } as const;
  const { config, preprocess } = withSizes(
    {
      config: published,
      preprocess: parseOpenClipPreprocess(json["preprocess_cfg"], published),
      tokenizer: tokenizerConfig,
    },
    { imageSize },
  );
  const tokenizerFiles = await readTokenizer(file ?? join(packageRoot, "models", "clip-bpe"));
  const tokenizer = openTokenizer(tokenizerConfig, tokenizerFiles);
  const { vocabSize } = config.text;
  if (tokenizer.vocabSize > vocabSize)
    throw new CliptError(
      "usage",
      `${path}: its vocab_size is ${vocabSize}, and the tokenizer has ${tokenizer.vocabSize} tokens.`,
    );
  const weights = flatten(initialise(clipSpec(config), random([seed, "weights"])), isTensor);
  return {
    config,
    weights,
    locations: new Map<string, FileLocation>(),
    preprocess,
    tokenizer,
    tokenizerConfig,
    tokenizerFiles,
    identity: `new ${JSON.stringify(config)} ${seed}`,
  };
}

/** A tokenizer's files: a folder of them, or one; packed ones are unpacked. */
async function readTokenizer(path: string): Promise<Map<string, Uint8Array>> {
  try {
    const folder = (await stat(path)).isDirectory();
    const names = folder ? await readdir(path) : [basename(path)];
    const files = names.map(async (name): Promise<[string, Uint8Array]> => {
      const bytes = await readFile(folder ? join(path, name) : path);
      return name.endsWith(".gz") ? [name.slice(0, -3), gunzipSync(bytes)] : [name, bytes];
    });
    const known: readonly string[] = tokenizerFileNames;
    return new Map((await Promise.all(files)).filter(([name]) => known.includes(name)));
  } catch (cause) {
    throw readError(path, cause);
  }
}
