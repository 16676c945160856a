import { add, expand, reshape, split, type Value } from "../../graph/index.js";
import { normalSpec, type Spec } from "../spec.js";
import { attend } from "./attention.js";
import type { BlockConfig } from "./block.js";
import { linear, type Linear } from "./linear.js";
import { norm, normSpec, type Norm } from "./norm.js";
import { timmLinearSpec, timmMlp, timmMlpSpec, type TimmMlp } from "./timm-block.js";

/** latent: [1, 1, width]; kv: rows of keys, then of values. Names are timm's. */
export interface MapPool<T> {
  readonly latent: T;
  readonly q: Linear<T>;
  readonly kv: Linear<T>;
  readonly proj: Linear<T>;
  readonly norm: Norm<T>;
  readonly mlp: TimmMlp<T>;
}

export const mapPoolSpec = ({ width, mlpWidth }: BlockConfig): MapPool<Spec> => ({
  latent: normalSpec(width ** -0.5, 1, 1, width),
  q: timmLinearSpec(width, width),
  kv: timmLinearSpec(width, 2 * width),
  proj: timmLinearSpec(width, width),
  norm: normSpec(width),
  mlp: timmMlpSpec(width, mlpWidth),
});

/**
 * Multi-head attention pooling: one learned query asks all tokens.
 *
 * @param x [batch, length, width] → [batch, width]
 * @source timm `AttentionPoolLatent`, transformers `SiglipMultiheadAttentionPoolingHead`
 */
export function mapPool(w: MapPool<Value>, x: Value, { heads, activation, eps }: BlockConfig): Value {
  const [batch, , width] = x.shape as [number, number, number];
  const query = expand(linear(w.q, w.latent), [batch, 1, width]);
  const [keys, values] = split(linear(w.kv, x), 2, [width, width]);
  const found = linear(w.proj, attend(query, keys!, values!, heads));
  return reshape(add(found, timmMlp(w.mlp, norm(w.norm, found, eps), activation)), [batch, width]);
}
