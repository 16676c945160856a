import type { ClipConfig } from "../../model/index.js";
import { CliptError, scalar, toFloat32, type Tensor } from "../../tensor/index.js";
import type { Savable } from "../../weights/index.js";
import { parameterGroups } from "./parameter-order.js";

/** A run between two steps, in terms that open_clip's trainer goes on from. */
export interface OpenClipRun {
  readonly config: ClipConfig;
  readonly name: string;
  /** Epochs that are completed. */
  readonly epoch: number;
  /** Updates that AdamW has made. */
  readonly updates: number;
  /** All weights of the model, by canonical name. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** `exp_avg.NAME` and `exp_avg_sq.NAME` of every trained weight. */
  readonly moments: ReadonlyMap<string, Tensor>;
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly wd: number;
}

/**
 * A training checkpoint as open_clip saves it: `epoch`, `name`, `state_dict`, `optimizer`.
 *
 * @source mlfoundations/open_clip `open_clip_train/main.py`; torch `Optimizer.state_dict`
 */
export function openClipCheckpoint(run: OpenClipRun): Savable {
  const trained = [...run.moments.keys()].flatMap((key) =>
    key.startsWith("exp_avg.") ? [key.slice("exp_avg.".length)] : [],
  );
  const { plain, decayed } = parameterGroups(run.config, trained);
  const names = [...plain, ...decayed];
  const moment = (key: string, name: string): Tensor => {
    const tensor = run.moments.get(`${key}.${name}`);
    if (tensor === undefined)
      throw new CliptError("format", `The checkpoint holds no ${key} of the weight "${name}".`);
    return tensor;
  };
  const states = names.map((name, number) => {
    const state = { step: scalar(run.updates), exp_avg: moment("exp_avg", name), exp_avg_sq: moment("exp_avg_sq", name) }; // prettier-ignore
    return [number, entries<Savable>(state)] as const;
  });
  const group = (weight_decay: number, from: number, count: number): Savable =>
    entries<Savable>({
      weight_decay,
      lr: run.lr,
      betas: [run.beta1, run.beta2],
      eps: run.eps,
      amsgrad: false,
      maximize: false,
      foreach: null,
      capturable: false,
      differentiable: false,
      fused: null,
      decoupled_weight_decay: true,
      params: Array.from({ length: count }, (_, i) => from + i),
    });
  return entries<Savable>({
    epoch: run.epoch,
    name: run.name,
    // The prefix of DistributedDataParallel: open_clip takes it away on one device, and on several it wants it.
    state_dict: new Map([...run.weights].map(([name, tensor]) => [`module.${name}`, toFloat32(tensor)])),
    optimizer: entries<Savable>({
      state: new Map(states),
      param_groups: [group(0, 0, plain.length), group(run.wd, plain.length, decayed.length)],
    }),
  });
}

const entries = <T>(record: Readonly<Record<string, T>>): Map<string, T> => new Map(Object.entries(record));
