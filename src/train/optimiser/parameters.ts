import { CliptError, sizeOf, toFloat32, type Tensor } from "../../tensor/index.js";
import type { AdamWState, Stretch } from "./adamw.js";

/** What differs for weights whose names match a pattern; "*" stands for any text. Later rules win. */
export interface ParameterRule {
  readonly match: string;
  /** Multiplies the learning rate; 0 freezes. */
  readonly rate?: number | undefined;
  /** Weight decay instead of the run's. */
  readonly wd?: number | undefined;
}

/** The weights that are trained, in flat vectors; tensors are views into them. */
export interface Parameters {
  readonly names: readonly string[];
  readonly weights: ReadonlyMap<string, Tensor<"float32">>;
  readonly gradients: ReadonlyMap<string, Tensor<"float32">>;
  readonly state: AdamWState;
  readonly stretches: readonly Stretch[];
}

/** open_clip's two groups: vectors, scalars, norms, biases and the temperature are not decayed. Source: open_clip `main.py`. */
export const isDecayed = (name: string, shape: readonly number[]): boolean =>
  shape.length >= 2 && !/bn|ln|bias|logit_scale/.test(name);

export interface LayoutOptions {
  /** The run's weight decay. */
  readonly decay: number;
  readonly rules?: readonly ParameterRule[] | undefined;
  /** Says which weights can be trained at all. */
  readonly open?: ((name: string) => boolean) | undefined;
}

/**
 * Lays the weights to be trained out in flat vectors. Those that a rule gives the rate 0 are left out: they are frozen.
 *
 * @param weights all candidates, by canonical name
 * @throws        `usage` when a rule matches nothing, or nothing is left to train
 */
export function layOutParameters(
  weights: ReadonlyMap<string, Tensor>,
  { decay, rules = [], open = () => true }: LayoutOptions,
): Parameters {
  const patterns = rules.map((rule) => ({ rule, pattern: patternOf(rule.match) }));
  for (const { rule, pattern } of patterns)
    if (![...weights.keys()].some((name) => pattern.test(name)))
      throw new CliptError(
        "usage",
        `No weight's name matches "${rule.match}"; names look like ${[...weights.keys()].slice(0, 3).join(", ")}.`,
      );
  const chosen = [...weights].flatMap(([name, tensor]) => {
    const matching = patterns.filter(({ pattern }) => pattern.test(name)).map(({ rule }) => rule);
    const rate = matching.findLast((rule) => rule.rate !== undefined)?.rate ?? 1;
    const own = matching.findLast((rule) => rule.wd !== undefined)?.wd ?? decay;
    return rate === 0 || !open(name)
      ? []
      : [{ name, tensor, rate, decay: isDecayed(name, tensor.shape) ? own : 0 }];
  });
  const total = chosen.reduce((sum, { tensor }) => sum + sizeOf(tensor.shape), 0);
  if (total === 0) throw new CliptError("usage", "Every weight is frozen: nothing is left to train.");
  const state: AdamWState = {
    weights: new Float32Array(total),
    gradients: new Float32Array(total),
    mean: new Float32Array(total),
    square: new Float32Array(total),
  };
  let end = 0;
  const stretches = chosen.map(({ tensor, rate, decay: own }) => {
    const begin = end;
    end += sizeOf(tensor.shape);
    state.weights.set(toFloat32(tensor).data, begin);
    return { begin, end, rate, decay: own };
  });
  const views = (flat: Float32Array) =>
    new Map(
      chosen.map(({ name, tensor }, i) => {
        const { begin, end } = stretches[i]!;
        return [name, { dtype: "float32", shape: tensor.shape, data: flat.subarray(begin, end) } as const];
      }),
    );
  return {
    names: chosen.map(({ name }) => name),
    weights: views(state.weights),
    gradients: views(state.gradients),
    state,
    stretches: joined(stretches),
  };
}

/** A flat vector of the same length as tensors: views by the parameters' names. */
export function viewsLike(
  { names, weights }: Parameters,
  flat: Float32Array,
): Map<string, Tensor<"float32">> {
  let end = 0;
  return new Map(
    names.map((name) => {
      const { shape, data } = weights.get(name)!;
      const begin = end;
      end += data.length;
      return [name, { dtype: "float32", shape, data: flat.subarray(begin, end) }];
    }),
  );
}

/** Neighbours with equal rules as one stretch: longer loops. */
function joined(stretches: readonly Stretch[]): Stretch[] {
  const result: Stretch[] = [];
  for (const stretch of stretches) {
    const last = result.at(-1);
    if (last !== undefined && last.rate === stretch.rate && last.decay === stretch.decay)
      result[result.length - 1] = { ...last, end: stretch.end };
    else result.push(stretch);
  }
  return result;
}

const patternOf = (match: string): RegExp =>
  new RegExp(`^${match.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`);
