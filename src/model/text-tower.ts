import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CliptError, readError } from "../tensor/index.js";
import { canonical, dequantised, joined, openWeights, type WeightsFile } from "../weights/index.js";
import { textFamilies, type TextDescription, type TextFamily } from "./families/text-towers.js";
import { readJson } from "./read-json.js";

/** A text tower on disk, without an image tower; its numbers are still in their files. */
export interface TextTowerFile extends TextDescription {
  /** Where the tokenizer lies. */
  readonly folder: string;
  /** Canonical names, all beginning with "text." */
  readonly weights: WeightsFile;
}

/** The family whose text tower alone lies in a folder; undefined for anything else. */
export async function textFamilyOf(folder: string): Promise<TextFamily | undefined> {
  const [config, modules] = await Promise.all([
    readJson(folder, "config.json"),
    readJson(folder, "modules.json"),
  ]);
  return textFamilies.find(({ owns }) => owns(config, modules));
}

/**
 * Opens a text tower that was published alone.
 *
 * @returns undefined when it is not one
 * @throws  `missing`, `io`, `format`, `unsupported`
 */
export async function openTextTower(path: string): Promise<TextTowerFile | undefined> {
  const info = await stat(path).catch((cause: unknown) => {
    throw readError(path, cause);
  });
  const folder = info.isDirectory() ? path : dirname(path);
  const family = await textFamilyOf(folder);
  if (family === undefined) return undefined;
  const files = [dequantised(await openWeights(path))];
  try {
    const [encoder] = files as [WeightsFile];
    const description = await family.describe({
      config: await readJson(folder, "config.json"),
      shapes: new Map(encoder.names().map((name) => [name, encoder.entry(name).shape])),
      read: (name) => readJson(folder, name),
    });
    for (const name of description.folders) files.push(dequantised(await openWeights(join(folder, name))));
    const whole = joined(path, files.map((file) => ({ file }))); // prettier-ignore
    return { ...description, folder, weights: canonical(whole, description.layout) };
  } catch (error) {
    await Promise.all(files.map((file) => file.close()));
    if (!(error instanceof CliptError) || error.message.includes(path)) throw error;
    throw new CliptError(error.code, `${path}: ${error.message}`, { cause: error });
  }
}
