import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { CliptError, type Tensor } from "../tensor/index.js";
import { openWeights, saveSafetensors } from "../weights/index.js";
import type { BatchState } from "./batches.js";
import type { Trainer } from "./trainer.js";

/** A run between two steps. Random numbers are functions of seed and step, so the two need no state of their own. */
export interface Checkpoint {
  /** Optimizer steps made. */
  readonly step: number;
  /** Updates in AdamW's moments. */
  readonly updates: number;
  /** Steps of the whole run, and of an epoch. */
  readonly total: number;
  readonly stepsPerEpoch: number;
  /** Which run of the recipe, counted from 0. */
  readonly stage: number;
  /** Where the data goes on. */
  readonly data: BatchState;
  /** Settings that decide what is computed. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Weights, moments, average, running statistics. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

export const checkpointFormat = "clipt-training-1";

/** Writes a checkpoint as one safetensors file; a crash leaves the old file or the whole new one. @throws `io` */
export async function saveCheckpoint(
  path: string,
  trainer: Trainer,
  rest: Omit<Checkpoint, "tensors" | "step" | "updates">,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const { steps: step, updates } = trainer;
  const state = { step, updates, ...rest };
  await saveSafetensors(path, trainer.state(), { format: checkpointFormat, state: JSON.stringify(state) });
}

/** @throws `missing`, `format` */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const file = await openWeights(path);
  try {
    const { format, state } = file.metadata;
    if (format !== checkpointFormat || state === undefined)
      throw new CliptError("format", `${path} is no checkpoint of a training run of clipt.`);
    const tensors = new Map<string, Tensor>();
    for (const name of file.names()) tensors.set(name, await file.read(name));
    return { ...(JSON.parse(state) as Omit<Checkpoint, "tensors">), tensors };
  } finally {
    await file.close();
  }
}
