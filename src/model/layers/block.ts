import { add, mul, type Value } from "../../graph/index.js";
import type { Context } from "../context.js";
import { filledSpec, type Spec } from "../spec.js";
import type { Activation } from "./activation.js";
import { attention, attentionOf, attentionSpec, type Attention, type Seating } from "./attention.js";
import { mlp, mlpSpec, type Mlp } from "./mlp.js";
import { norm, normSpec, type Norm } from "./norm.js";

/** [width]: multiplies a branch before it is added. */
export interface LayerScale<T> {
  readonly gamma: T;
}

export interface Block<T> {
  readonly ln_1: Norm<T>;
  readonly attn: Attention<T>;
  readonly ls_1?: LayerScale<T> | undefined;
  readonly ln_2: Norm<T>;
  readonly mlp: Mlp<T>;
  readonly ls_2?: LayerScale<T> | undefined;
}

/** What a transformer's configuration says about its blocks. */
export interface BlockConfig {
  readonly width: number;
  readonly heads: number;
  readonly mlpWidth: number;
  readonly activation: Activation;
  readonly eps: number;
  /** First value of the layer scale, where there is one. */
  readonly layerScale?: number | undefined;
}

export function blockSpec({ width, mlpWidth, layerScale }: BlockConfig): Block<Spec> {
  const scale = layerScale === undefined ? undefined : { gamma: filledSpec(layerScale, [width]) };
  return {
    ln_1: normSpec(width),
    attn: attentionSpec(width),
    ls_1: scale,
    ln_2: normSpec(width),
    mlp: mlpSpec(width, mlpWidth),
    ls_2: scale,
  };
}

/** Pre-norm block. x: [batch, length, width] → same. Source: openai/CLIP `ResidualAttentionBlock`. */
export function block(w: Block<Value>, x: Value, config: BlockConfig, seating?: Seating): Value {
  const y = add(x, scaled(w.ls_1, attention(w.attn, norm(w.ln_1, x, config.eps), config.heads, seating)));
  return withMlp(w, y, config);
}

/** Which tokens a pool reads; the mask has their rows only. */
export interface Reading extends Seating {
  /** x → [batch, chosen, width] */
  readonly choose: (x: Value) => Value;
}

/** What a block makes of the tokens that are read: the others take part as keys and values only. → [batch, chosen, width] */
export function blockOf(
  { choose, ...seating }: Reading,
  w: Block<Value>,
  x: Value,
  config: BlockConfig,
): Value {
  const normed = norm(w.ln_1, x, config.eps);
  const found = attentionOf(choose(normed), w.attn, normed, config.heads, seating);
  return withMlp(w, add(choose(x), scaled(w.ls_1, found)), config);
}

const withMlp = (w: Block<Value>, x: Value, { eps, activation }: BlockConfig): Value =>
  add(x, scaled(w.ls_2, mlp(w.mlp, norm(w.ln_2, x, eps), activation)));

const scaled = (w: LayerScale<Value> | undefined, x: Value): Value => (w === undefined ? x : mul(x, w.gamma));

/**
 * Blocks one after another; each is tapped as `NAME.block.N`.
 *
 * @param reading the tokens that are read of the result; nothing else is computed of the last block
 * @returns       x's shape, or [batch, chosen, width]
 */
export function transformer(
  blocks: readonly Block<Value>[],
  x: Value,
  config: BlockConfig,
  {
    name,
    context,
    reading,
    ...seating
  }: Seating & { name: string; context: Context; reading?: Reading | undefined },
): Value {
  return blocks.reduce((input, w, i) => {
    const last = i === blocks.length - 1;
    const output =
      last && reading !== undefined ? blockOf(reading, w, input, config) : block(w, input, config, seating);
    context.block?.([input], output);
    context.tap?.(`${name}.block.${i}`, output);
    return output;
  }, x);
}
