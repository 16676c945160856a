import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { CliptError, type Tensor } from "../tensor/index.js";
import { openWeights } from "../weights/index.js";
import { checkpointFormat, readCheckpoint, type Checkpoint } from "./checkpoint.js";
import type { Run } from "./recipe.js";
import { locateModels, openStart, type Start } from "./start.js";

/** A training run between two steps: all that another trainer needs to go on with it. */
export interface StoppedRun {
  readonly name: string;
  readonly run: Run;
  readonly checkpoint: Checkpoint;
  readonly start: Start;
  /** All weights of the model as they are now. */
  readonly weights: ReadonlyMap<string, Tensor>;
}

/**
 * The run that a checkpoint of clipt's belongs to, opened with the model that it started from.
 *
 * @param path   the checkpoint, or the folder of its run
 * @param locate where the models that the run names lie
 * @returns      undefined when the path is anything else
 * @throws       what `openStart` throws where that model is gone
 */
export async function openStoppedRun(
  path: string,
  locate?: (model: string) => Promise<string>,
): Promise<StoppedRun | undefined> {
  const latest = join(path, "checkpoints", "latest.safetensors");
  const file = existsSync(latest) ? latest : path;
  if (!(await isCheckpoint(file))) return undefined;
  const checkpoint = await readCheckpoint(file);
  if (!(checkpoint.stepsPerEpoch >= 1))
    throw new CliptError(
      "unsupported",
      `${file} does not say how long its epochs are: an older clipt wrote it.`,
    );
  const run = checkpoint.settings as Run;
  const start = await openStart(await locateModels(run, locate));
  const weights = new Map(
    [...start.weights].map(([name, tensor]) => [
      name,
      checkpoint.tensors.get(`weight.${name}`) ?? checkpoint.tensors.get(`statistics.${name}`) ?? tensor,
    ]),
  );
  return { name: basename(dirname(dirname(resolve(file)))), run, checkpoint, start, weights };
}

async function isCheckpoint(path: string): Promise<boolean> {
  if (!path.endsWith(".safetensors") || !existsSync(path)) return false;
  const weights = await openWeights(path);
  await weights.close();
  return weights.metadata["format"] === checkpointFormat;
}
