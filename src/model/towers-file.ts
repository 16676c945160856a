import { existsSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { z } from "zod";
import { CliptError } from "../tensor/index.js";
import { canonical, joined, openClipCustomText } from "../weights/index.js";
import { readFields } from "./families/fields.js";
import type { Checkpoint } from "./published-model.js";
import { readJson } from "./read-json.js";
import type { TextTowerFile } from "./text-tower.js";

/** A model of two published halves: `{"image": PATH, "text": PATH}`, relative to this file. */
export const towersFile = "towers.json";

/** Where the halves of such a model lie. */
export interface Towers {
  readonly image: string;
  readonly text: string;
}

const towersJson = z.strictObject({ image: z.string().min(1), text: z.string().min(1) });

/**
 * The `towers.json` of a folder, or at a path.
 *
 * @param locate where something lies that is not beside it
 * @returns      undefined when there is none
 * @throws       `format` when it names anything but an image and a text, and what `locate` throws
 */
export async function readTowers(
  path: string,
  locate?: (name: string) => Promise<string>,
): Promise<Towers | undefined> {
  const folder = basename(path) === towersFile ? dirname(path) : path;
  const json = await readJson(folder, towersFile);
  if (json === undefined) return undefined;
  const { image, text } = readFields(towersJson, json, towersFile);
  const find = async (name: string): Promise<string> => {
    const near = resolve(folder, name);
    return locate === undefined || existsSync(near) ? near : locate(name);
  };
  return { image: await find(image), text: await find(text) };
}

/** What a joined model needs of its text half. */
type TextHalf = Pick<TextTowerFile, "embedDim" | "tokenizer" | "folder" | "weights"> & {
  readonly text: Checkpoint["config"]["text"];
};

/** The text half of a whole model. */
export const textTowerOf = ({ config, tokenizer, folder, weights }: Checkpoint): TextHalf => ({
  embedDim: config.embedDim,
  text: config.text,
  tokenizer,
  folder,
  weights: canonical(weights, openClipCustomText),
});

/**
 * One model of the image tower, temperature and preprocessing of one and the text tower and tokenizer of another.
 *
 * @throws `shape` when they do not end in the same space
 */
export function assemble(path: string, image: Checkpoint, half: TextHalf): Checkpoint {
  const { config } = image;
  if (half.embedDim !== config.embedDim)
    throw new CliptError(
      "shape",
      `${path}: the image tower ends in ${config.embedDim} numbers and the text tower in ${half.embedDim}; ` +
        "they were not trained for each other.",
    );
  return {
    ...image,
    family: towersFile,
    folder: half.folder,
    path,
    config: { ...config, text: half.text, customText: true },
    tokenizer: half.tokenizer,
    weights: joined(path, [
      { file: image.weights, keep: (name) => /^(visual\.|logit_)/.test(name) },
      { file: half.weights, keep: (name) => name.startsWith("text.") },
    ]),
  };
}
