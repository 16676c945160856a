import type { ClipConfig } from "../../model/index.js";
import { CliptError, isTensor, toFloat32, type Tensor } from "../../tensor/index.js";
import { readPyTorchEntries, type Plain } from "../../weights/index.js";
import { parameterGroups } from "./parameter-order.js";

/** What of a run decides whether it can go on from a checkpoint of open_clip's. */
export interface Continued {
  readonly config: ClipConfig;
  /** Names of the weights that are trained. */
  readonly trained: readonly string[];
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly wd: number;
}

/** Where a run of open_clip's stands; its weights are read as those of any model. */
export interface OpenClipProgress {
  /** Epochs that are completed. */
  readonly epoch: number;
  /** Updates that AdamW has made. */
  readonly updates: number;
  /** `exp_avg.NAME` and `exp_avg_sq.NAME` of every trained weight, float32. */
  readonly moments: ReadonlyMap<string, Tensor<"float32">>;
}

/** Whether a run goes on from another project's file. */
export const isPyTorchFile = (path: string): boolean => path.endsWith(".pt");

/**
 * Reads epoch and optimizer of a training checkpoint of open_clip's (`epoch_N.pt`).
 *
 * @throws `format` when it is none, `usage` when its optimizer had other weights or settings than the run
 */
export async function readOpenClipProgress(path: string, run: Continued): Promise<OpenClipProgress> {
  const entries = await readPyTorchEntries(path, ["epoch", "optimizer"]);
  const epoch = entries.get("epoch");
  const optimizer = entries.get("optimizer");
  if (typeof epoch !== "number" || !isDictionary(optimizer))
    throw new CliptError(
      "format",
      `${path} is no training checkpoint of open_clip: it holds no epoch and optimizer. As --model it may still be read.`,
    );
  const groups = groupsOf(path, optimizer);
  checkSettings(path, groups, run);
  const states = numbered(path, groups, optimizer, run);
  const moments = new Map<string, Tensor<"float32">>();
  for (const [name, state] of states)
    for (const key of ["exp_avg", "exp_avg_sq"]) {
      const tensor = state.get(key);
      if (tensor === undefined || !isTensor(tensor)) throw damaged(path, `"${name}" has no ${key}`);
      moments.set(`${key}.${name}`, toFloat32(tensor));
    }
  return {
    epoch,
    updates: stepsOf(
      path,
      states.map(([, state]) => state),
    ),
    moments,
  };
}

type Dictionary = Map<string | number | bigint | boolean | null, Plain<Tensor>>;
const isDictionary = (value: Plain<Tensor> | undefined): value is Dictionary => value instanceof Map;

interface Group {
  readonly params: readonly number[];
  readonly betas: readonly number[];
  readonly eps: number;
  readonly decay: number;
}

function groupsOf(path: string, optimizer: Dictionary): [plain: Group, decayed: Group] {
  const given = optimizer.get("param_groups");
  const groups = (Array.isArray(given) ? (given as readonly Plain<Tensor>[]) : [])
    .filter(isDictionary)
    .map((group) => ({
      params: numbersOf(group.get("params")),
      betas: numbersOf(group.get("betas")),
      eps: Number(group.get("eps")),
      decay: Number(group.get("weight_decay")),
    }));
  const [plain, decayed] = groups;
  if (plain !== undefined && decayed !== undefined && groups.length === 2) return [plain, decayed];
  throw damaged(
    path,
    `its optimizer has ${groups.length} groups of parameters instead of the two of open_clip's AdamW`,
  );
}

const numbersOf = (value: Plain<Tensor> | undefined): readonly number[] =>
  Array.isArray(value) ? value.map(Number) : [];

/** PyTorch takes these from the checkpoint whatever its flags say; here flags are what holds, so they must agree. */
function checkSettings(path: string, [plain, decayed]: readonly [Group, Group], run: Continued): void {
  const [beta1 = NaN, beta2 = NaN] = plain.betas;
  const then = { beta1, beta2, eps: plain.eps, wd: decayed.decay };
  const other = (["beta1", "beta2", "eps", "wd"] as const).filter((key) => then[key] !== run[key]);
  if (other.length > 0)
    throw new CliptError(
      "usage",
      `${path} was trained with other settings: give ${other.map((key) => `--${key} ${then[key]}`).join(" ")}.`,
    );
}

/** The states of all parameters and whose they are: the checkpoint knows numbers only. */
function numbered(
  path: string,
  groups: readonly [Group, Group],
  optimizer: Dictionary,
  { config, trained }: Continued,
): (readonly [name: string, state: Dictionary])[] {
  const { plain, decayed } = parameterGroups(config, trained);
  const [{ params: first }, { params: second }] = groups;
  if (first.length !== plain.length || second.length !== decayed.length)
    throw new CliptError(
      "usage",
      `${path} trains ${first.length} weights without decay and ${second.length} with it; this run ${plain.length} and ${decayed.length}. Lock what it locked: --lock-image, --lock-image-unlocked-groups, --lock-text, --lock-text-unlocked-layers.`,
    );
  const numbers = [...first, ...second];
  const states = optimizer.get("state");
  return [...plain, ...decayed].map((name, i) => {
    const state = isDictionary(states) ? states.get(numbers[i]!) : undefined;
    if (!isDictionary(state)) throw damaged(path, `its optimizer knows nothing of "${name}"`);
    return [name, state];
  });
}

function stepsOf(path: string, states: readonly Dictionary[]): number {
  const steps = new Set(
    states.map((state) => {
      const step = state.get("step");
      return step !== undefined && isTensor(step) ? Number(step.data[0]) : Number(step);
    }),
  );
  const [only] = steps;
  if (steps.size !== 1 || only === undefined || !Number.isSafeInteger(only))
    throw damaged(path, `its weights were updated ${[...steps].join(", ")} times, not all equally often`);
  return only;
}

const damaged = (path: string, why: string): CliptError =>
  new CliptError("format", `${path} is no whole training checkpoint of open_clip: ${why}.`);
