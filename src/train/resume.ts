import { existsSync } from "node:fs";
import { join } from "node:path";
import { CliptError } from "../tensor/index.js";
import type { BatchState } from "./batches.js";
import { readCheckpoint, type Checkpoint } from "./checkpoint.js";
import type { RunData } from "./data-of-run.js";
import { isPyTorchFile, readOpenClipProgress } from "./open-clip/read-checkpoint.js";
import type { Run } from "./recipe.js";
import type { Trainer } from "./trainer.js";

/** Where a run goes on: at a checkpoint of clipt's, or at the path of one of open_clip's. */
export type Resumption = Checkpoint | string;

/**
 * The run as it goes on. A checkpoint of open_clip's is the model, too: weights that are locked stand nowhere else.
 *
 * @throws `usage` when the run names another model
 */
export function withResumedModel(run: Run): Run {
  const { resume, model = resume } = run;
  if (resume === undefined || !isPyTorchFile(resume)) return run;
  if (model !== resume)
    throw new CliptError(
      "usage",
      `A run that goes on from ${resume} has its weights from there: leave out --model ${model}, and lay its open_clip_config.json beside the checkpoint.`,
    );
  return { ...run, model };
}

/**
 * What the run resumes, if anything.
 *
 * @param folder of the run
 * @throws       `usage` when a checkpoint of clipt's belongs to a run with other settings
 */
export async function findResumption(run: Run, folder: string): Promise<Resumption | undefined> {
  if (run.resume === undefined) return undefined;
  if (isPyTorchFile(run.resume)) return run.resume;
  const latest = join(folder, "checkpoints", "latest.safetensors");
  if (run.resume === "latest" && !existsSync(latest)) return undefined;
  const path = run.resume === "latest" ? latest : run.resume;
  const checkpoint = await readCheckpoint(path);
  const now = settingsOf(run);
  const then = checkpoint.settings;
  const keys = [...new Set([...Object.keys(now), ...Object.keys(then)])];
  const other = keys.filter((key) => JSON.stringify(now[key]) !== JSON.stringify(then[key]));
  if (other.length > 0)
    throw new CliptError(
      "usage",
      `${path} belongs to a run with other settings: ${other.map((key) => `${key} was ${JSON.stringify(then[key])}`).join(", ")}. Give the same ones, or start anew without resume.`,
    );
  return checkpoint;
}

/**
 * Brings a trainer to where the run stood. Of open_clip's the epoch counts: the schedule goes on where it begins.
 *
 * @returns where its data goes on
 * @throws  `format` and `usage` when the checkpoint does not fit the run
 */
export async function restore(
  trainer: Trainer,
  from: Resumption | undefined,
  run: Run,
  { stepsPerEpoch }: RunData,
): Promise<BatchState | { readonly epoch: number } | undefined> {
  if (from === undefined) return undefined;
  if (typeof from !== "string") {
    trainer.restore(from.tensors, from.step, from.updates);
    return from.data;
  }
  const { config, trained } = trainer;
  const { epoch, updates, moments } = await readOpenClipProgress(from, {
    ...run,
    config,
    trained: trained.names,
  });
  trainer.restore(new Map([...trainer.state(), ...moments]), epoch * stepsPerEpoch, updates);
  return { epoch };
}

/** Settings that change nothing of what is computed. */
const indifferent = new Set([
  "name",
  "logs",
  "resume",
  "output",
  "cache",
  "workers",
  "saveFrequency",
  "saveEveryNSteps",
  "logEveryNSteps",
  "valData",
  "valFrequency",
]);

export const settingsOf = (run: Run): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(run).filter(([key]) => !indifferent.has(key)));
