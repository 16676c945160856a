import { existsSync } from "node:fs";
import { join } from "node:path";
import { clipSpec, parseOpenClip, type ClipConfig } from "../model/index.js";
import { nodeRuntime, type Runtime } from "../runtime/index.js";
import { CliptError, f32, i64, random, toFloat32, type Tensor } from "../tensor/index.js";
import { readWeights } from "../weights/index.js";
import { readJson } from "./data/text-file.js";
import type { Accumulation, Part } from "./step.js";
import { openTrainer, type Trainer } from "./trainer.js";

/** Allowances of a float32 run against the float64 reference; measured values are twenty times smaller. */
export const allowed = {
  lossRelative: 1e-4,
  gradientRelative: 1e-4,
  finalAbsolute: 2e-4,
  moveRelative: 2e-3,
  keyBiasGradient: 1e-5,
  keyBiasMove: 5e-3,
} as const;

/** One recorded run, repeated. */
export interface ReplayedRun {
  /** "plain", or the kind of accumulation: "accum", "bigbatch". */
  readonly run: string;
  readonly ok: boolean;
  /** Greatest difference of a step's loss, absolute. */
  readonly maxAbsLoss: number;
  /** Greatest relative difference (L2) of a tensor's first gradient, and whose. */
  readonly maxRelGrad: number;
  readonly worstGrad: string;
  /** Greatest difference of a final weight, absolute, and whose. */
  readonly maxAbsFinal: number;
  readonly worstFinal: string;
  /** Difference of all final weights against how far they moved, L2. */
  readonly relMove: number;
  readonly losses: readonly number[];
  /** What was outside of its allowance. */
  readonly failures: readonly string[];
}

export interface Replay {
  readonly ok: boolean;
  readonly maxAbsLoss: number;
  readonly maxRelGrad: number;
  readonly maxAbsFinal: number;
  /** Losses of the plain run. */
  readonly losses: readonly number[];
  readonly runs: readonly ReplayedRun[];
}

interface Recorded {
  readonly config: ClipConfig;
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weight_decay: number;
  readonly warmup: number;
  readonly total_steps: number;
  readonly grad_clip_norm?: number | null;
  readonly loss: string;
  readonly batch_norm?: object | null;
  readonly accumulation?: { readonly accum_freq: number; readonly steps: number };
}

type Tensors = ReadonlyMap<string, Tensor>;

/**
 * Trains as a recorded run of open_clip did and compares losses, first gradients and final weights.
 *
 * @param folder config.json, init, batches, grad, losses, final; variants `*.accum.*` and `*.bigbatch.*` where present
 * @throws       `missing`, `format`
 */
export async function replay(folder: string): Promise<Replay> {
  const runtime = nodeRuntime();
  try {
    const recorded = await readRecorded(folder);
    const names = ["accum", "bigbatch"].filter((name) => existsSync(join(folder, `losses.${name}.json`)));
    const runs: ReplayedRun[] = [];
    for (const run of ["plain", ...names]) runs.push(await replayRun(folder, recorded, run, runtime));
    const worst = (of: (run: ReplayedRun) => number) => Math.max(...runs.map(of));
    return {
      ok: runs.every(({ ok }) => ok),
      maxAbsLoss: worst((run) => run.maxAbsLoss),
      maxRelGrad: worst((run) => run.maxRelGrad),
      maxAbsFinal: worst((run) => run.maxAbsFinal),
      losses: runs[0]!.losses,
      runs,
    };
  } finally {
    await runtime.close();
  }
}

async function replayRun(
  folder: string,
  recorded: Recorded,
  run: string,
  runtime: Runtime,
): Promise<ReplayedRun> {
  const suffix = run === "plain" ? "" : `.${run}`;
  const read = (name: string): Promise<Tensors> => readWeights(join(folder, `${name}.safetensors`));
  const [init, batches] = [await read("init"), await read("batches")];
  const [gradients, final] = [await read(`grad${suffix}`), await read(`final${suffix}`)];
  const expected = (await readJson(join(folder, `losses${suffix}.json`))) as { steps: { loss: number }[] };
  const trainer = openReplayTrainer(recorded, run, init, runtime);
  const partsPerStep = run === "plain" ? 1 : (recorded.accumulation?.accum_freq ?? 1);
  const check = new Check(run);
  for (const [step, { loss }] of expected.steps.entries()) {
    const parts = Array.from({ length: partsPerStep }, (_, i) => partOf(batches, step * partsPerStep + i, i));
    // Batch norm sees a whole batch at a time: its exact big batch is one part.
    const joined = run === "bigbatch" && recorded.batch_norm != null ? [joinParts(parts)] : parts;
    const report = await trainer.step(joined, random(["replay", step]));
    check.loss(step, report.loss, loss);
    if (step === 0) check.gradients(trainer.gradients, gradients);
  }
  check.final(trainer.weights(), init, final);
  return check.result();
}

function openReplayTrainer(recorded: Recorded, run: string, init: Tensors, runtime: Runtime): Trainer {
  const { config, lr, betas, eps, weight_decay: wd, warmup, batch_norm, loss } = recorded;
  const accumulation: Accumulation = run === "bigbatch" ? "exact" : "open_clip";
  const total = run === "plain" ? recorded.total_steps : (recorded.accumulation?.steps ?? 0);
  const batchStatistics = batch_norm != null;
  return openTrainer({
    runtime,
    config,
    spec: clipSpec(config),
    weights: init,
    picture: [],
    objective: { contrastive: loss === "SigLipLoss" ? "sigmoid" : "softmax" },
    batchStatistics: { image: batchStatistics, text: batchStatistics },
    accumulation,
    optimiser: {
      lr,
      schedule: { kind: "cosine", warmup, total },
      beta1: betas[0],
      beta2: betas[1],
      eps,
      wd,
      gradClipNorm: recorded.grad_clip_norm ?? undefined,
    },
  });
}

/** Recorded batch number `index`, whose pairs are numbered as part `part` of a step. */
function partOf(batches: Tensors, index: number, part: number): Part {
  const pixels = batches.get(`pixel_values.${index}`);
  const ids = batches.get(`input_ids.${index}`);
  if (pixels === undefined || ids === undefined)
    throw new CliptError("format", `The recording has no batch ${index}.`);
  const rows = pixels.shape[0]!;
  const groups = i64(
    [rows],
    Array.from({ length: rows }, (_, i) => part * rows + i),
  );
  return {
    image: toFloat32(pixels),
    text: i64(ids.shape, Array.from(ids.data as Int32Array, Number)),
    rows: { pairs: rows, labelled: 0, captions: rows, classes: 0, taught: 0 },
    pictureGroups: groups,
    textGroups: groups,
  };
}

function joinParts(parts: readonly Part[]): Part {
  const rows = parts.reduce((sum, part) => sum + part.rows.pairs, 0);
  const ids = parts.flatMap((part) => Array.from(part.text.data, Number));
  const pixels = parts.flatMap((part) => Array.from(part.image.data, Number));
  const first = parts[0]!;
  const groups = i64([rows], [...Array(rows).keys()]);
  return {
    image: f32([rows, ...first.image.shape.slice(1)], pixels),
    text: i64([rows, first.text.shape[1]!], ids),
    rows: { pairs: rows, labelled: 0, captions: rows, classes: 0, taught: 0 },
    pictureGroups: groups,
    textGroups: groups,
  };
}

/** Collects differences and what exceeds its allowance. */
class Check {
  readonly #failures: string[] = [];
  readonly #losses: number[] = [];
  #maxAbsLoss = 0;
  #grad = { value: 0, name: "" };
  #final = { value: 0, name: "" };
  #relMove = 0;

  constructor(readonly run: string) {}

  loss(step: number, actual: number, expected: number): void {
    this.#losses.push(actual);
    const difference = Math.abs(actual - expected);
    this.#maxAbsLoss = Math.max(this.#maxAbsLoss, difference);
    this.#require(
      difference <= allowed.lossRelative * Math.abs(expected),
      `loss of step ${step}`,
      difference,
    );
  }

  gradients(actual: Tensors, expected: Tensors): void {
    for (const [name, wanted] of expected) {
      const got = actual.get(name);
      if (got === undefined) {
        this.#failures.push(`gradient of ${name} is missing`);
        continue;
      }
      const keys = keyBias(name, wanted.data.length);
      const others = (i: number) => !keys(i);
      const norm = lengthOf(wanted, others);
      const relative = lengthOf(wanted, others, got) / Math.max(norm, 1e-9);
      if (relative > this.#grad.value) this.#grad = { value: relative, name };
      this.#require(relative <= allowed.gradientRelative, `gradient of ${name}`, relative);
      const ofKeys = lengthOf(got, keys);
      this.#require(
        ofKeys <= allowed.keyBiasGradient * Math.max(norm, 1),
        `gradient of the key bias in ${name}`,
        ofKeys,
      );
    }
  }

  final(actual: Tensors, init: Tensors, expected: Tensors): void {
    let moved = 0;
    let apart = 0;
    for (const [name, wanted] of expected) {
      if (wanted.dtype === "int64") continue;
      const got = actual.get(name);
      const start = init.get(name)!;
      if (got === undefined) {
        this.#failures.push(`weight ${name} is missing`);
        continue;
      }
      const keys = keyBias(name, wanted.data.length);
      const others = (i: number) => !keys(i);
      const greatest = greatestDifference(got, wanted, others);
      if (greatest > this.#final.value) this.#final = { value: greatest, name };
      this.#require(greatest <= allowed.finalAbsolute, `final ${name}`, greatest);
      const keyMove = greatestDifference(got, start, keys);
      this.#require(keyMove <= allowed.keyBiasMove, `move of the key bias in ${name}`, keyMove);
      moved += lengthOf(wanted, others, start) ** 2;
      apart += lengthOf(wanted, others, got) ** 2;
    }
    this.#relMove = Math.sqrt(apart / Math.max(moved, 1e-30));
    this.#require(this.#relMove <= allowed.moveRelative, "move of all weights", this.#relMove);
  }

  result(): ReplayedRun {
    return {
      run: this.run,
      ok: this.#failures.length === 0,
      maxAbsLoss: this.#maxAbsLoss,
      maxRelGrad: this.#grad.value,
      worstGrad: this.#grad.name,
      maxAbsFinal: this.#final.value,
      worstFinal: this.#final.name,
      relMove: this.#relMove,
      losses: this.#losses,
      failures: this.#failures,
    };
  }

  #require(holds: boolean, what: string, value: number): void {
    if (!holds) this.#failures.push(`${what}: ${value.toExponential(2)}`);
  }
}

type Chosen = (index: number) => boolean;

/**
 * Which numbers of a weight are biases of attention keys. Softmax does not depend on them: their true gradient is 0,
 * and Adam makes steps of full size out of rounding noise.
 */
function keyBias(name: string, length: number): Chosen {
  if (/\bk_proj\.bias$/.test(name)) return () => true;
  if (/(\bin_proj_bias|\bqkv\.bias)$/.test(name)) return (i) => i >= length / 3 && i < (2 * length) / 3;
  if (/\battn_pool\.kv\.bias$/.test(name)) return (i) => i < length / 2;
  return () => false;
}

/** L2 length of the chosen numbers, or of their difference to another tensor's. */
function lengthOf(a: Tensor, chosen: Chosen, b?: Tensor): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++)
    if (chosen(i)) sum += (Number(a.data[i]) - Number(b?.data[i] ?? 0)) ** 2;
  return Math.sqrt(sum);
}

function greatestDifference(a: Tensor, b: Tensor, chosen: Chosen): number {
  let greatest = 0;
  for (let i = 0; i < a.data.length; i++)
    if (chosen(i)) greatest = Math.max(greatest, Math.abs(Number(a.data[i]) - Number(b.data[i])));
  return greatest;
}

async function readRecorded(folder: string): Promise<Recorded> {
  const path = join(folder, "config.json");
  const recorded = (await readJson(path)) as Omit<Recorded, "config"> & { model_cfg: unknown };
  return { ...recorded, config: parseOpenClip(recorded.model_cfg) };
}
