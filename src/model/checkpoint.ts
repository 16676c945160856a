import type { WeightsFile } from "../weights/index.js";
import { checkModel, openPublished, type Checkpoint, type CheckpointOptions } from "./published-model.js";
import { openTextTower } from "./text-tower.js";
import { withSizes } from "./sizes.js";
import { assemble, readTowers, textTowerOf, type Towers } from "./towers-file.js";

export type { Checkpoint, CheckpointOptions };

/**
 * Opens a model folder, or a file of weights with what lies beside it. Where it is a `towers.json`, the image tower
 * comes from one place and the text tower from another.
 *
 * @throws `missing`, `io`; `format` when files are damaged or the weights are not those of the configuration;
 *         `unsupported` when no family owns it
 */
export async function openCheckpoint(path: string, options: CheckpointOptions = {}): Promise<Checkpoint> {
  const towers = await readTowers(path, options.locate);
  return towers === undefined ? openPublished(path, options) : openTowers(path, towers, options);
}

async function openTowers(
  path: string,
  towers: Towers,
  { imageSize, contextLength }: CheckpointOptions,
): Promise<Checkpoint> {
  const opened: { readonly weights: WeightsFile }[] = [];
  try {
    const image = await openPublished(towers.image, { imageSize });
    opened.push(image);
    const text =
      (await openTextTower(towers.text)) ?? textTowerOf(await openPublished(towers.text, { contextLength }));
    opened.push(text);
    const assembled = withSizes(assemble(path, image, text), { contextLength });
    checkModel(assembled, assembled.weights);
    return assembled;
  } catch (error) {
    await Promise.all(opened.map(({ weights }) => weights.close()));
    throw error;
  }
}
