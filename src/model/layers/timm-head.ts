import { linear, linearSpec, type Linear } from "./linear.js";
import type { Value } from "../../graph/index.js";
import type { Spec } from "../spec.js";
import { timmLinearSpec } from "./timm-block.js";

/**
 * How OpenCLIP leads from the features of timm's trunks to the shared space: by the trunk's own classifier, by a
 * linear layer behind the trunk, or not at all.
 */
export type TimmProjection = "none" | "classifier" | "linear" | "linear-bias";

/** The trunk's classifier. */
export const classifierSpec = (
  projection: TimmProjection,
  features: number,
  embedDim: number,
): Linear<Spec> | undefined => (projection === "classifier" ? timmLinearSpec(features, embedDim) : undefined);

/** OpenCLIP's layer behind the trunk. */
export interface TimmHead<T> {
  readonly proj: Linear<T>;
}

export const timmHeadSpec = (
  projection: TimmProjection,
  features: number,
  embedDim: number,
): TimmHead<Spec> | undefined =>
  projection === "linear" || projection === "linear-bias"
    ? { proj: linearSpec(features, embedDim, projection === "linear" ? { bias: false } : {}) }
    : undefined;

/** Whichever of the two there is. x: [batch, features] → [batch, embedDim]. */
export function timmProject(
  classifier: Linear<Value> | undefined,
  head: TimmHead<Value> | undefined,
  x: Value,
): Value {
  const layer = classifier ?? head?.proj;
  return layer === undefined ? x : linear(layer, x);
}
