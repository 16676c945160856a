import { isSpec, type ClipConfig, type ClipWeights, type Spec } from "../model/index.js";
import type { Runtime } from "../runtime/index.js";
import {
  CliptError,
  f32,
  flatten,
  isFloat,
  scalar,
  sizeOf,
  toFloat32,
  type DType,
  type Random,
  type Tensor,
} from "../tensor/index.js";
import { objectiveScales, type Objective } from "./objective.js";
import { adamw, clipScale, gradientNorm } from "./optimiser/adamw.js";
import { updateAverage } from "./optimiser/ema.js";
import { layOutParameters, viewsLike, type ParameterRule } from "./optimiser/parameters.js";
import { learningRate, type Schedule } from "./optimiser/schedule.js";
import { readBehindCuts, type StepConfig } from "./step-graphs.js";
import { openStep, type Accumulation, type Losses, type Part } from "./step.js";

export interface OptimiserOptions {
  readonly lr: number;
  readonly schedule: Schedule;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly wd: number;
  /** Limit of the gradient's norm; absent: none. */
  readonly gradClipNorm?: number | undefined;
  readonly rules?: readonly ParameterRule[] | undefined;
  /** Decay of the average of the weights; absent: none is kept. */
  readonly ema?: number | undefined;
}

export interface TrainerOptions extends Omit<StepConfig, "trained" | "dtypeOf"> {
  readonly runtime: Runtime;
  /** Where the weights start, by canonical name. Those that are trained are copied. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly optimiser: OptimiserOptions;
  readonly accumulation?: Accumulation | undefined;
}

export interface StepReport extends Losses {
  /** Counted from 0. */
  readonly step: number;
  readonly lr: number;
  /** Length of the whole gradient before clipping. */
  readonly gradNorm: number;
  /** exp(logit_scale) that the step used. */
  readonly logitScale: number;
}

/** A model being trained: weights, moments and the steps that change them. */
export interface Trainer {
  /** Steps made so far: the place in the schedule. */
  readonly steps: number;
  /** Updates that are in AdamW's moments; other than `steps` where a run changed its epoch's length on the way. */
  readonly updates: number;
  readonly config: ClipConfig;
  /** Names of the weights that are trained, and how many numbers they are. */
  readonly trained: { readonly names: readonly string[]; readonly count: number };
  /** Gradients of the last step, before clipping. */
  readonly gradients: ReadonlyMap<string, Tensor<"float32">>;
  /** One optimiser step over the parts of a batch. @throws `failed` when the loss is not finite */
  step(parts: readonly Part[], rng: Random): Promise<StepReport>;
  /** All weights of the model as they are now; the average, where one is kept and wanted. */
  weights(which?: "now" | "average"): Map<string, Tensor>;
  /** All that changes from step to step, for a checkpoint; views, not copies. */
  state(): Map<string, Tensor>;
  /** Goes on from a state. @throws `format` when it belongs to another model */
  restore(state: ReadonlyMap<string, Tensor>, steps: number, updates?: number): void;
}

/** open_clip clamps logit_scale to this range after each step. */
const scaleRange = [0, Math.log(100)] as const;
/** Temperature of a new term: 14, as CLIP's own starts. */
const newScale = Math.log(1 / 0.07);

export function openTrainer(options: TrainerOptions): Trainer {
  const { config, spec, objective, optimiser } = options;
  const all = startOf(spec, options.weights, objective);
  const dtypeOf = (name: string): DType => all.fixed.get(name)?.dtype ?? "float32";
  const parameters = layOutParameters(all.candidates, {
    open: behindCuts(options, dtypeOf),
    decay: optimiser.wd,
    rules: optimiser.rules,
  });
  const statistics = layOutStatistics(all.statistics);
  const weights = new Map<string, Tensor>([
    ...all.fixed,
    ...all.candidates,
    ...parameters.weights,
    ...statistics.views,
  ]);
  const step = openStep({
    runtime: options.runtime,
    config: { ...options, trained: parameters.names, dtypeOf },
    parameters,
    weights,
    accumulation: options.accumulation ?? "open_clip",
  });
  const scales = ["logit_scale", ...objectiveScales(objective)].flatMap(
    (name) => parameters.weights.get(name) ?? [],
  );
  const average =
    optimiser.ema === undefined
      ? undefined
      : {
          weights: Float32Array.from(parameters.state.weights),
          statistics: Float32Array.from(statistics.flat),
        };
  const averages =
    average === undefined
      ? undefined
      : new Map([...viewsLike(parameters, average.weights), ...statistics.viewsOf(average.statistics)]);
  const ofModel = [...flatten(spec, isSpec).keys()];
  let steps = 0;
  let updates = 0;

  const state = (): Map<string, Tensor> => {
    const named = (prefix: string, tensors: ReadonlyMap<string, Tensor>) =>
      [...tensors].map(([name, tensor]) => [`${prefix}.${name}`, tensor] as const);
    return new Map([
      ...named("weight", parameters.weights),
      ...named("statistics", statistics.views),
      ...named("exp_avg", viewsLike(parameters, parameters.state.mean)),
      ...named("exp_avg_sq", viewsLike(parameters, parameters.state.square)),
      ...named("average", averages ?? new Map<string, Tensor>()),
    ]);
  };

  return {
    get steps() {
      return steps;
    },
    get updates() {
      return updates;
    },
    config,
    trained: { names: parameters.names, count: parameters.state.weights.length },
    gradients: parameters.gradients,
    async step(parts, rng) {
      const lr = learningRate(optimiser.schedule, optimiser.lr, steps);
      const logitScale = Math.exp(Number(weights.get("logit_scale")?.data[0] ?? 0));
      const losses = await step.run(parts, rng);
      const gradNorm = gradientNorm(parameters.state.gradients, parameters.stretches);
      if (!Number.isFinite(losses.loss) || !Number.isFinite(gradNorm))
        throw new CliptError(
          "failed",
          `Step ${steps}: the loss is ${losses.loss} and the gradient's norm ${gradNorm}. Lower the learning rate, warm up longer, or clip the gradient (grad-clip-norm).`,
        );
      adamw(parameters.state, parameters.stretches, {
        step: ++updates,
        learningRate: lr,
        beta1: optimiser.beta1,
        beta2: optimiser.beta2,
        eps: optimiser.eps,
        gradientScale: clipScale(gradNorm, optimiser.gradClipNorm),
      });
      for (const { data } of scales) data[0] = Math.min(scaleRange[1], Math.max(scaleRange[0], data[0]!));
      if (average !== undefined && optimiser.ema !== undefined) {
        updateAverage(average.weights, parameters.state.weights, optimiser.ema, steps);
        updateAverage(average.statistics, statistics.flat, optimiser.ema, steps);
      }
      return { step: steps++, ...losses, lr, gradNorm, logitScale };
    },
    weights: (which = "now") =>
      new Map(
        ofModel.map((name) => {
          const averaged = which === "average" ? averages?.get(name) : undefined;
          return [name, averaged ?? weights.get(name)!];
        }),
      ),
    state,
    restore(saved, done, made = done) {
      for (const [name, { shape, data }] of state()) {
        const tensor = saved.get(name);
        if (tensor === undefined || tensor.dtype !== "float32" || tensor.data.length !== data.length)
          throw new CliptError(
            "format",
            `The checkpoint does not fit the run: "${name}" of shape [${shape.join(", ")}] is ${tensor === undefined ? "missing" : `${tensor.dtype}[${tensor.shape.join(", ")}]`}.`,
          );
        (data as Float32Array).set(tensor.data as Float32Array);
      }
      steps = done;
      updates = made;
    },
  };
}

/** What lies before a cut is frozen, whatever else is said: the optimiser would go on decaying it. */
function behindCuts(options: TrainerOptions, dtypeOf: (name: string) => DType): (name: string) => boolean {
  const { cuts } = options;
  if (cuts?.image === undefined && cuts?.text === undefined) return () => true;
  const read = readBehindCuts({ ...options, dtypeOf });
  return (name) => read.has(name) || /logit_(scale|bias)$/.test(name);
}

/** The starting weights by what becomes of them: candidates for training, running statistics, and all that stays. */
function startOf(spec: ClipWeights<Spec>, weights: ReadonlyMap<string, Tensor>, objective: Objective) {
  const candidates = new Map<string, Tensor<"float32">>();
  const statistics = new Map<string, Tensor<"float32">>();
  const fixed = new Map<string, Tensor>();
  for (const [name, { shape, buffer }] of flatten(spec, isSpec)) {
    const tensor = weights.get(name);
    if (tensor === undefined || tensor.data.length !== sizeOf(shape))
      throw new CliptError(
        "missing",
        `The weight "${name}" of shape [${shape.join(", ")}] ${tensor === undefined ? "is not among the model's weights" : `has the shape [${tensor.shape.join(", ")}]`}.`,
      );
    if (buffer !== true) candidates.set(name, f32(shape, toFloat32(tensor).data));
    else if (/\.running_(mean|var)$/.test(name)) statistics.set(name, f32(shape, toFloat32(tensor).data));
    else fixed.set(name, isFloat(tensor.dtype) ? f32(shape, toFloat32(tensor).data) : tensor);
  }
  for (const name of objectiveScales(objective)) candidates.set(name, scalar(newScale));
  return { candidates, statistics, fixed };
}

/** Running statistics in one flat vector of their own. */
function layOutStatistics(statistics: ReadonlyMap<string, Tensor<"float32">>) {
  const flat = new Float32Array([...statistics.values()].reduce((sum, { data }) => sum + data.length, 0));
  const viewsOf = (vector: Float32Array): Map<string, Tensor<"float32">> => {
    let end = 0;
    return new Map(
      [...statistics].map(([name, { shape, data }]) => [
        name,
        f32(shape, vector.subarray(end, (end += data.length))),
      ]),
    );
  };
  const views = viewsOf(flat);
  for (const [name, { data }] of statistics) views.get(name)!.data.set(data);
  return { flat, views, viewsOf };
}
