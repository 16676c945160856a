import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { clipSpec, identityOf, isSpec, saveModel, type Model } from "../model/index.js";
import { nodeRuntime, type Runtime } from "../runtime/index.js";
import { CliptError, flatten, random, type Tensor } from "../tensor/index.js";
import { replaceFile } from "../weights/index.js";
import type { Batches } from "./batches.js";
import { saveCheckpoint } from "./checkpoint.js";
import { openRunData, type RunData } from "./data-of-run.js";
import type { Skip } from "./data/index.js";
import { lockRules } from "./locks.js";
import { openRunLog, type LogLine, type RunLog } from "./log/run-log.js";
import { modelCard } from "./model-card.js";
import type { Objective } from "./objective.js";
import { isPyTorchFile } from "./open-clip/read-checkpoint.js";
import { checkSchedule, type Schedule } from "./optimiser/schedule.js";
import type { Recipe, Run } from "./recipe.js";
import { findResumption, restore, settingsOf, withResumedModel } from "./resume.js";
import { standardise } from "./standardise.js";
import { locateModels, openStart, type Start } from "./start.js";
import { openTrainer, type StepReport, type Trainer } from "./trainer.js";

/** What a training run tells while it goes on. */
export type TrainEvent =
  | {
      readonly kind: "step";
      readonly stage: string;
      readonly step: number;
      readonly total: number;
      readonly epoch: number;
      readonly report: StepReport;
      readonly pairsPerSecond: number;
      /** Seconds to the end of the stage. */
      readonly eta: number;
    }
  | { readonly kind: "cache"; readonly stage: string; readonly stream: string; readonly pictures: number }
  | { readonly kind: "checkpoint"; readonly path: string }
  | { readonly kind: "evaluation"; readonly step: number; readonly metrics: Readonly<Record<string, number>> }
  | ({ readonly kind: "skipped" } & Skip);

export interface TrainOptions {
  /** Where a model lies that a run names; names are paths when absent. */
  readonly locate?: ((model: string) => Promise<string>) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: TrainEvent) => void) | undefined;
  /** Judges the model while it is trained: called after epochs, by `valFrequency`, and at the end. */
  readonly evaluate?: ((model: Model, run: Run) => Promise<Readonly<Record<string, number>>>) | undefined;
}

export interface TrainResult {
  /** The finished model. */
  readonly model: string;
  /** Folder of the run. */
  readonly folder: string;
  readonly steps: number;
  /** Loss of the last step. */
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * Trains by a recipe, run after run; each goes on from the model of the one before.
 *
 * @throws `usage` for settings that do not fit together, `cancelled` after the signal (a checkpoint is written first),
 *         `failed` when the loss is no longer a number, and what data and models throw
 */
export async function trainModel({ runs }: Recipe, options: TrainOptions = {}): Promise<TrainResult> {
  const [{ resume } = {}] = runs;
  if (runs.length > 1 && resume !== undefined && isPyTorchFile(resume))
    throw new CliptError(
      "usage",
      `${resume} is one run of open_clip's; a recipe with stages cannot go on from it.`,
    );
  let result: TrainResult | undefined;
  for (const [stage, settled] of runs.entries()) {
    const run = result === undefined ? withResumedModel(settled) : { ...settled, model: result.model };
    const last = stage === runs.length - 1;
    result = await trainStage(
      run,
      { stage, of: runs.length, output: last ? run.output : undefined },
      options,
    );
  }
  return result!;
}

interface Stage {
  readonly stage: number;
  readonly of: number;
  readonly output: string | undefined;
}

async function trainStage(
  run: Run,
  { stage, of, output }: Stage,
  options: TrainOptions,
): Promise<TrainResult> {
  const name = run.name ?? "run";
  const label = of === 1 ? name : `${name}, stage ${stage + 1} of ${of}`;
  const folder = of === 1 ? join(run.logs, name) : join(run.logs, name, `stage-${stage + 1}`);
  const finished = output ?? join(folder, "model");
  if (run.resume === "latest" && stage < of - 1 && existsSync(join(finished, "config.json")))
    return { model: finished, folder, steps: 0, loss: NaN, metrics: {} };
  const resumed = await findResumption(run, folder);
  await mkdir(folder, { recursive: true });
  await writeText(join(folder, "settings.json"), `${JSON.stringify(run, undefined, 2)}\n`);
  const runtime = nodeRuntime({ device: run.device, threads: run.threads });
  const emit = options.onEvent ?? (() => {});
  let batches: Batches | undefined;
  let log: RunLog | undefined;
  try {
    const located = await locateModels(run, options.locate);
    const start = await openStart(located, options.locate);
    const data = await openRunData({
      run: located,
      start,
      folder,
      runtime,
      report: (skip) => emit({ kind: "skipped", ...skip }),
      onCache: (stream, pictures) => emit({ kind: "cache", stage: label, stream, pictures }),
      signal: options.signal,
    });
    const total = run.steps ?? Math.ceil(run.epochs * data.stepsPerEpoch);
    const trainer = await openRunTrainer(run, {
      start,
      data,
      runtime,
      total,
      fresh: resumed === undefined,
    });
    batches = await data.batches(run.seed, await restore(trainer, resumed, run, data));
    log = await openRunLog(folder, trainer.steps);
    const context = { run, stage, label, folder, total, start, data, trainer, batches, log, emit };
    const { loss, metrics } = await steps(context, options);
    const weights = trainer.weights(run.ema === undefined ? "now" : "average");
    const card = modelCard({ run, start, trainer, steps: total, metrics });
    await saveModel(finished, { ...start, weights, card });
    return { model: finished, folder, steps: total, loss, metrics };
  } finally {
    await batches?.close();
    await log?.close();
    await runtime.close();
  }
}

interface Running {
  readonly run: Run;
  readonly stage: number;
  readonly label: string;
  readonly folder: string;
  readonly total: number;
  readonly start: Start;
  readonly data: RunData;
  readonly trainer: Trainer;
  readonly batches: Batches;
  readonly log: RunLog;
  readonly emit: (event: TrainEvent) => void;
}

/** All steps that are left. */
async function steps(running: Running, { signal, evaluate }: TrainOptions) {
  const { run, label, total, data, trainer, batches, log, emit } = running;
  const clock = new Clock(trainer.steps);
  let loss = NaN;
  let metrics: Readonly<Record<string, number>> = {};
  while (trainer.steps < total) {
    if (signal?.aborted === true) {
      await save(running, "latest");
      throw new CliptError(
        "cancelled",
        `Stopped after ${trainer.steps} of ${total} steps; --resume latest goes on from there.`,
      );
    }
    const batch = await clock.waiting(batches.next(trainer.steps)).catch((error: unknown) => {
      // Stopped while it waited for data: above, the checkpoint is written.
      if (signal?.aborted === true) return undefined;
      throw error;
    });
    if (batch === undefined) continue;
    const report = await trainer.step(batch.parts, random([run.seed, "step", trainer.steps]));
    const { step } = report;
    const done = step + 1;
    const { epoch } = batch;
    loss = report.loss;
    const speed = clock.step(batch.pairs, total - done);
    emit({ kind: "step", stage: label, step, total, epoch, report, ...speed });
    if (step === 0 || done === total || done % run.logEveryNSteps === 0)
      await log.write(step, { epoch, ...lineOf(report), ...clock.line() });
    const last = done === total;
    if (!last && reached(done, data.stepsPerEpoch, run.saveFrequency)) await save(running, `step_${done}`);
    const wanted = run.saveEveryNSteps !== undefined && done % run.saveEveryNSteps === 0;
    if (last || wanted || reached(done, data.stepsPerEpoch, run.saveFrequency)) await save(running, "latest");
    if (evaluate && run.valFrequency > 0 && (last || reached(done, data.stepsPerEpoch, run.valFrequency))) {
      metrics = await evaluate(modelOf(running), run);
      if (Object.keys(metrics).length === 0) continue;
      emit({ kind: "evaluation", step, metrics });
      await log.write(step, { epoch, ...metrics });
    }
  }
  return { loss, metrics };
}

/** Whether a step completes a whole number of stretches of `every` epochs. */
function reached(done: number, stepsPerEpoch: number, every: number): boolean {
  const stretch = every * stepsPerEpoch;
  return stretch > 0 && Math.floor(done / stretch) > Math.floor((done - 1) / stretch);
}

async function save(running: Running, name: string): Promise<void> {
  const { run, stage, folder, total, data, trainer, batches, emit } = running;
  const { stepsPerEpoch } = data;
  const path = join(folder, "checkpoints", `${name}.safetensors`);
  const place = { stage, total, stepsPerEpoch, data: batches.state(), settings: settingsOf(run) };
  await saveCheckpoint(path, trainer, place);
  emit({ kind: "checkpoint", path });
}

/** Time since the last line of the log, and since the start. */
class Clock {
  readonly #begun = performance.now();
  readonly #first: number;
  #steps: number;
  #since = performance.now();
  #pairs = 0;
  #waited = 0;

  constructor(steps: number) {
    this.#first = steps;
    this.#steps = steps;
  }

  async waiting<T>(data: Promise<T>): Promise<T> {
    const asked = performance.now();
    const result = await data;
    this.#waited += performance.now() - asked;
    return result;
  }

  /** Counts a step. @returns pairs per second since the last line, and seconds to the end */
  step(pairs: number, left: number): { pairsPerSecond: number; eta: number } {
    this.#steps++;
    this.#pairs += pairs;
    const now = performance.now();
    const perStep = (now - this.#begun) / 1000 / (this.#steps - this.#first);
    return { pairsPerSecond: (1000 * this.#pairs) / (now - this.#since), eta: perStep * left };
  }

  /** Numbers for a line of the log; the counts start again. */
  line(): LogLine {
    const now = performance.now();
    const passed = now - this.#since;
    const line = { pairs_per_s: (1000 * this.#pairs) / passed, data_wait: this.#waited / passed };
    this.#since = now;
    this.#pairs = 0;
    this.#waited = 0;
    return line;
  }
}

const lineOf = ({ loss, terms, lr, logitScale, gradNorm }: StepReport): LogLine => ({
  loss,
  ...Object.fromEntries(Object.entries(terms).map(([name, value]) => [`loss_${name}`, value])),
  lr,
  logit_scale: logitScale,
  grad_norm: gradNorm,
});

interface TrainerStart {
  readonly start: Start;
  readonly data: RunData;
  readonly runtime: Runtime;
  readonly total: number;
  /** False when a checkpoint follows: its statistics are those of the heads. */
  readonly fresh: boolean;
}

async function openRunTrainer(
  run: Run,
  { start, data, runtime, total, fresh }: TrainerStart,
): Promise<Trainer> {
  const { config } = start;
  const spec = clipSpec(config);
  const cuts = { image: run.cutImage, text: run.cutText };
  const picture = [3, ...config.image.imageSize];
  let { weights }: { weights: ReadonlyMap<string, Tensor> } = start;
  if (fresh && [...weights.keys()].some((name) => name.includes("head.norm."))) {
    // A stream of its own, so that the training's own order stays as it is.
    const batches = await data.batches(run.seed + 1);
    const samples = run.standardiseSamples;
    weights = await standardise({ runtime, config, spec, picture, cuts, weights, batches, samples }).finally(
      () => batches.close(),
    );
  }
  const objective: Objective = {
    contrastive: run.siglip || config.score === "sigmoid" ? "sigmoid" : "softmax",
    labels:
      run.labelData === undefined ? undefined : { weight: run.labelWeight, smoothing: run.labelSmoothing },
    distillation: run.distillClassifier === undefined ? undefined : { weight: run.distillWeight },
  };
  const trainable = [...flatten(spec, isSpec)].filter(([, { buffer }]) => buffer !== true);
  const names = trainable.map(([name]) => name);
  const locks = lockRules(names, {
    image: run.lockImage ? { unlockedGroups: run.lockImageUnlockedGroups } : undefined,
    text: run.lockText ? { unlockedGroups: run.lockTextUnlockedLayers } : undefined,
  });
  return openTrainer({
    runtime,
    config,
    spec,
    weights,
    picture,
    cuts,
    objective,
    recompute: run.gradCheckpointing,
    batchStatistics: { image: !run.lockImageFreezeBnStats },
    accumulation: run.accumRule,
    optimiser: { ...run, schedule: scheduleOf(run, total, data), rules: [...locks, ...(run.rules ?? [])] },
  });
}

function scheduleOf(run: Run, total: number, { stepsPerEpoch }: RunData): Schedule {
  const warmup = run.warmup ?? Math.min(10_000, Math.floor(total / 10));
  if (run.lrScheduler !== "const-cooldown") return checkSchedule({ kind: run.lrScheduler, warmup, total });
  return checkSchedule({
    kind: "const-cooldown",
    warmup,
    total,
    cooldown: Math.round(run.epochsCooldown * stepsPerEpoch),
    cooldownPower: run.lrCooldownPower,
    cooldownEnd: run.lrCooldownEnd,
  });
}

/** The model as it is now, or its average, for those who judge it. */
function modelOf({ run, start, trainer, folder }: Running): Model {
  const weights = trainer.weights(run.ema === undefined ? "now" : "average");
  const { config, preprocess, tokenizer, tokenizerConfig, tokenizerFiles } = start;
  const known = { config, preprocess, tokenizer, tokenizerConfig, tokenizerFiles, weights };
  const identity = identityOf({ config, preprocess, weights, tokenizer: tokenizer.identity() });
  return { ...known, path: folder, identity, locations: new Map() };
}

const writeText = (path: string, text: string): Promise<void> =>
  replaceFile(path, [new TextEncoder().encode(text)]);
