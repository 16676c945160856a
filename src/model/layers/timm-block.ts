import type { Value } from "../../graph/index.js";
import { normalSpec, zerosSpec, type Spec } from "../spec.js";
import type { Activation } from "./activation.js";
import type { Block, BlockConfig } from "./block.js";
import { linearSpec, type Linear } from "./linear.js";
import { mlp } from "./mlp.js";
import { normSpec, type Norm } from "./norm.js";

export interface TimmMlp<T> {
  readonly fc1: Linear<T>;
  readonly fc2: Linear<T>;
}

/** The same block as OpenCLIP's, under timm's names. */
export interface TimmBlock<T> {
  readonly norm1: Norm<T>;
  readonly attn: { readonly qkv: Linear<T>; readonly proj: Linear<T> };
  readonly norm2: Norm<T>;
  readonly mlp: TimmMlp<T>;
}

/** timm's start of a linear layer in a Vision Transformer. Source: timm `init_weights_vit_timm`. */
export const timmLinearSpec = (inputs: number, outputs: number): Linear<Spec> =>
  linearSpec(inputs, outputs, { weight: normalSpec(0.02, outputs, inputs), bias: zerosSpec(outputs) });

export const timmMlpSpec = (width: number, inner: number): TimmMlp<Spec> => ({
  fc1: timmLinearSpec(width, inner),
  fc2: timmLinearSpec(inner, width),
});

export const timmMlp = ({ fc1, fc2 }: TimmMlp<Value>, x: Value, activation: Activation): Value =>
  mlp({ c_fc: fc1, c_proj: fc2 }, x, activation);

export const timmBlockSpec = ({ width, mlpWidth }: BlockConfig): TimmBlock<Spec> => ({
  norm1: normSpec(width),
  attn: { qkv: timmLinearSpec(width, 3 * width), proj: timmLinearSpec(width, width) },
  norm2: normSpec(width),
  mlp: timmMlpSpec(width, mlpWidth),
});

/** timm's names as OpenCLIP's: the block's function needs no second version. */
export const fromTimm = <T>({ norm1, attn, norm2, mlp: { fc1, fc2 } }: TimmBlock<T>): Block<T> => ({
  ln_1: norm1,
  attn: { in_proj_weight: attn.qkv.weight, in_proj_bias: attn.qkv.bias, out_proj: attn.proj },
  ln_2: norm2,
  mlp: { c_fc: fc1, c_proj: fc2 },
});
