import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { FileLocation } from "../graph/index.js";
import {
  clipSpec,
  initialise,
  openModel,
  openTokenizer,
  parseOpenClip,
  parseOpenClipPreprocess,
  type ClipConfig,
  type Model,
} from "../model/index.js";
import { CliptError, flatten, isTensor, messageOf, random } from "../tensor/index.js";
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

/**
 * The model that a run starts from: a folder or checkpoint, or a new one from a JSON file with open_clip's
 * `model_cfg` (and `preprocess_cfg`).
 *
 * @throws `usage` when a new model has no tokenizer, and what `openModel` throws
 */
export async function openStart(run: StartOptions): Promise<Start> {
  if (run.model === undefined)
    throw new CliptError(
      "usage",
      "model: is required: a folder, a checkpoint, or a JSON file with a model_cfg.",
    );
  const start = run.model.endsWith(".json") ? await newModel(run.model, run) : await openModel(run.model);
  return run.imageSize === undefined ? start : resized(start, run.imageSize);
}

async function newModel(path: string, { tokenizer: file, seed }: StartOptions): Promise<Start> {
  const json = await readConfig(path);
  const config = parseOpenClip(json["model_cfg"] ?? json);
  if (file === undefined)
    throw new CliptError("usage", `tokenizer: is required for a new model: ${path} describes towers only.`);
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new CliptError("missing", `The tokenizer ${file} cannot be read: ${messageOf(cause)}`, { cause });
  });
  const tokenizerConfig = {
    kind: "clip-bpe",
    cleaning: "clip",
    pad: "zero",
    context: config.text.contextLength,
  } as const;
  const tokenizerFiles = new Map([[basename(file), new Uint8Array(bytes)]]);
  const weights = flatten(initialise(clipSpec(config), random([seed, "weights"])), isTensor);
  return {
    config,
    weights,
    locations: new Map<string, FileLocation>(),
    preprocess: parseOpenClipPreprocess(json["preprocess_cfg"], config),
    tokenizer: openTokenizer(tokenizerConfig, tokenizerFiles),
    tokenizerConfig,
    tokenizerFiles,
    identity: `new ${JSON.stringify(config)} ${seed}`,
  };
}

/** The same model over pictures of another size, for towers whose weights do not depend on it. */
function resized(start: Start, side: number): Start {
  const config = { ...start.config, image: { ...start.config.image, imageSize: [side, side] } } as ClipConfig;
  return { ...start, tokenizer: start.tokenizer, config, preprocess: { ...start.preprocess, size: side } };
}

async function readConfig(path: string): Promise<Record<string, unknown>> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new CliptError("missing", `${path} cannot be read: ${messageOf(cause)}`, { cause });
  });
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new CliptError("format", `${path} is not JSON: ${messageOf(cause)}`, { cause });
  }
}
