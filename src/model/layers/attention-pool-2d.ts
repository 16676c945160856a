import { add, concat, mean, reshape, slice, transpose, type Value } from "../../graph/index.js";
import { normalSpec, type Spec } from "../spec.js";
import { attend } from "./attention.js";
import { linear, linearSpec, type Linear } from "./linear.js";

/** positional_embedding: [1 + places, width]; projections [width, width], the last [dim, width]. */
export interface AttentionPool2d<T> {
  readonly positional_embedding: T;
  readonly k_proj: Linear<T>;
  readonly q_proj: Linear<T>;
  readonly v_proj: Linear<T>;
  readonly c_proj: Linear<T>;
}

export function attentionPool2dSpec(places: number, width: number, dim: number): AttentionPool2d<Spec> {
  const std = width ** -0.5;
  const projection = (outputs: number) =>
    linearSpec(width, outputs, { weight: normalSpec(std, outputs, width) });
  return {
    positional_embedding: normalSpec(std, 1 + places, width),
    k_proj: projection(width),
    q_proj: projection(width),
    v_proj: projection(width),
    c_proj: projection(dim),
  };
}

/**
 * The mean of all places asks all places. Only its own question is computed: the others' answers go nowhere.
 *
 * @param x [batch, width, height, width of the map] → [batch, dim]
 * @source openai/CLIP `AttentionPool2d`
 */
export function attentionPool2d(w: AttentionPool2d<Value>, x: Value, heads: number): Value {
  const [batch, width] = x.shape;
  const places = transpose(reshape(x, [batch!, width!, -1]), [0, 2, 1]);
  const tokens = add(concat([mean(places, 1), places], 1), w.positional_embedding);
  const asking = linear(w.q_proj, slice(tokens, 1, 0, 1));
  const found = attend(asking, linear(w.k_proj, tokens), linear(w.v_proj, tokens), heads);
  return linear(w.c_proj, reshape(found, [batch!, width!]));
}
