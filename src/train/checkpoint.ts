import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { CliptError, readError, type Tensor } from "../tensor/index.js";
import { readSafetensors, saveSafetensors } from "../weights/index.js";
import type { BatchState } from "./batches.js";
import type { Trainer } from "./trainer.js";

/** A run between two steps. Random numbers are functions of seed and step, so the two need no state of their own. */
export interface Checkpoint {
  /** Optimizer steps made. */
  readonly step: number;
  /** Which run of the recipe, counted from 0. */
  readonly stage: number;
  /** Where the data goes on. */
  readonly data: BatchState;
  /** Settings that decide what is computed. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Weights, moments, average, running statistics. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

const format = "clipt-training-1";

/** Writes a checkpoint as one safetensors file; a crash leaves the old file or the whole new one. @throws `io` */
export async function saveCheckpoint(
  path: string,
  trainer: Trainer,
  rest: Omit<Checkpoint, "tensors" | "step">,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const state = { step: trainer.steps, ...rest };
  await saveSafetensors(path, trainer.state(), { format, state: JSON.stringify(state) });
}

/** @throws `missing`, `format` */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw readError(path, cause);
  });
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata["format"] !== format || metadata["state"] === undefined)
    throw new CliptError("format", `${path} is no checkpoint of a training run of clipt.`);
  return { ...(JSON.parse(metadata["state"]) as Omit<Checkpoint, "tensors">), tensors };
}
