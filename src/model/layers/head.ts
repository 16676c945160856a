import { div, sqrt, sub, add, type Value } from "../../graph/index.js";
import type { Context } from "../context.js";
import { onesSpec, zerosSpec, type Spec } from "../spec.js";
import { gelu } from "./activation.js";
import { linear, linearSpec, type Linear } from "./linear.js";

/**
 * From a tower's features to the shared space.
 * `linear`: one product. `mlp`: linear, GELU, linear. Both over features that are brought to mean 0 and variance 1
 * first where `standardise` is set, by statistics of the training data.
 */
export interface HeadConfig {
  readonly kind: "linear" | "mlp";
  /** Width between the two products of an MLP. */
  readonly hidden?: number | undefined;
  readonly standardise?: boolean | undefined;
  /** Share of the features, and of the hidden values, that training drops. */
  readonly dropout?: readonly [number, number] | undefined;
}

export interface Head<T> {
  /** [features] each: statistics, not trained. */
  readonly norm?: { readonly running_mean: T; readonly running_var: T } | undefined;
  readonly proj?: Linear<T> | undefined;
  readonly mlp?: { readonly fc1: Linear<T>; readonly fc2: Linear<T> } | undefined;
}

export function headSpec(
  { kind, hidden, standardise }: HeadConfig,
  features: number,
  embedDim: number,
): Head<Spec> {
  const buffer = (spec: Spec): Spec => ({ ...spec, buffer: true });
  return {
    ...(standardise
      ? { norm: { running_mean: buffer(zerosSpec(features)), running_var: buffer(onesSpec(features)) } }
      : {}),
    ...(kind === "linear"
      ? { proj: linearSpec(features, embedDim) }
      : {
          mlp: {
            fc1: linearSpec(features, hidden ?? features),
            fc2: linearSpec(hidden ?? features, embedDim),
          },
        }),
  };
}

/** Kept below every variance of a feature that varies, above those that never do. */
const eps = 1e-5;

/** x: [batch, features] → [batch, embedDim], not normalised. */
export function head(
  { dropout: [first, second] = [0, 0] }: HeadConfig,
  w: Head<Value>,
  x: Value,
  context: Context,
): Value {
  const drop = (y: Value, rate: number) => (rate > 0 ? (context.dropout?.(y, rate) ?? y) : y);
  const standard =
    w.norm === undefined ? x : div(sub(x, w.norm.running_mean), sqrt(add(w.norm.running_var, eps)));
  const input = drop(standard, first);
  if (w.mlp === undefined) return linear(w.proj!, input);
  return linear(w.mlp.fc2, drop(gelu(linear(w.mlp.fc1, input)), second));
}
