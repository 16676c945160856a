import type { Value } from "../../graph/index.js";
import type { Spec } from "../spec.js";
import { activations, type Activation } from "./activation.js";
import { linear, linearSpec, type Linear } from "./linear.js";

export interface Mlp<T> {
  readonly c_fc: Linear<T>;
  readonly c_proj: Linear<T>;
}

export const mlpSpec = (width: number, inner: number): Mlp<Spec> => ({
  c_fc: linearSpec(width, inner),
  c_proj: linearSpec(inner, width),
});

/** x: [..., width] → same. */
export const mlp = (w: Mlp<Value>, x: Value, activation: Activation): Value =>
  linear(w.c_proj, activations[activation](linear(w.c_fc, x)));
