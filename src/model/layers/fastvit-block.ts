import { add, neg, reshape, swap, type Value } from "../../graph/index.js";
import type { Context } from "../context.js";
import { filledSpec, normalSpec, zerosSpec, type Spec } from "../spec.js";
import { gelu } from "./activation.js";
import { attention } from "./attention.js";
import { batchNorm, batchNormSpec, type BatchNorm } from "./batch-norm.js";
import type { LayerScale } from "./block.js";
import {
  branches,
  convNorm,
  convNormSpec,
  convSpec,
  scaled,
  type Branch,
  type Conv,
  type ConvNorm,
} from "./branches.js";
import type { Linear } from "./linear.js";
import { mobileOneBranches, mobileOneSpec, type MobileOne } from "./mobile-one.js";
import { norm, normSpec, type Norm } from "./norm.js";
import { timmLinearSpec } from "./timm-block.js";

interface ConvMlp<T> {
  readonly conv: ConvNorm<T>;
  readonly fc1: Conv<T>;
  readonly fc2: Conv<T>;
}

/** timm's `RepMixer`: its branches, or the one convolution that they were folded into. */
interface RepMixer<T> {
  readonly norm?: MobileOne<T> | undefined;
  readonly mixer?: MobileOne<T> | undefined;
  readonly layer_scale?: LayerScale<T> | undefined;
  readonly reparam_conv?: Conv<T> | undefined;
}

/** timm's `RepMixerBlock`: neighbours are mixed by a depthwise convolution. */
interface MixerBlock<T> {
  readonly token_mixer: RepMixer<T>;
  readonly mlp: ConvMlp<T>;
  readonly layer_scale: LayerScale<T>;
}

/** timm's `AttentionBlock`: every place sees every other. */
interface AttentionBlock<T> {
  readonly norm: BatchNorm<T> | Norm<T>;
  readonly token_mixer: { readonly qkv: Linear<T>; readonly proj: Linear<T> };
  readonly layer_scale_1: LayerScale<T>;
  readonly mlp: ConvMlp<T>;
  readonly layer_scale_2: LayerScale<T>;
}

export type FastVitBlock<T> = MixerBlock<T> | AttentionBlock<T>;

export interface FastVitBlockConfig {
  readonly width: number;
  readonly mlpWidth: number;
  readonly mixer: "repmixer" | "attention";
  /** Before attention: a batch norm, or a layer norm over the channels of each place. */
  readonly norm: "batch" | "layer";
  readonly folded: boolean;
}

const eps = 1e-5;
/** Channels of an attention head. */
const headWidth = 32;

export function fastVitBlockSpec(config: FastVitBlockConfig): FastVitBlock<Spec> {
  const { width, mlpWidth, mixer } = config;
  const mlp = {
    conv: convNormSpec(width, width, 7, width),
    fc1: timmConvSpec(width, mlpWidth),
    fc2: timmConvSpec(mlpWidth, width),
  };
  if (mixer === "repmixer")
    return { token_mixer: repMixerSpec(config), mlp, layer_scale: layerScaleSpec(width) };
  const { weight, bias } = timmLinearSpec(width, width);
  return {
    norm: config.norm === "batch" ? batchNormSpec(width) : normSpec(width),
    token_mixer: { qkv: { weight: normalSpec(0.02, 3 * width, width) }, proj: { weight, bias } },
    layer_scale_1: layerScaleSpec(width),
    mlp,
    layer_scale_2: layerScaleSpec(width),
  };
}

const layerScaleSpec = (width: number): LayerScale<Spec> => ({ gamma: filledSpec(1e-5, [width, 1, 1]) });

const timmConvSpec = (inputs: number, outputs: number): Conv<Spec> => ({
  weight: normalSpec(0.02, outputs, inputs, 1, 1),
  bias: zerosSpec(outputs),
});

function repMixerSpec({ width, folded }: FastVitBlockConfig): RepMixer<Spec> {
  const side = 3;
  if (folded) return { reparam_conv: convSpec(width, width, side, { groups: width }) };
  return {
    norm: { identity: batchNormSpec(width) },
    mixer: mobileOneSpec({ inputs: width, outputs: width, side, depthwise: true, folded }),
    layer_scale: layerScaleSpec(width),
  };
}

/**
 * One block. x: [batch, width, height, width of the picture] → same.
 *
 * @param path the weights' dotted path
 * @source     timm `RepMixerBlock`, `AttentionBlock`; Vasu et al., FastViT (arXiv 2303.14189)
 */
export function fastVitBlock(w: FastVitBlock<Value>, x: Value, path: string, context: Context): Value {
  if ("layer_scale" in w) {
    const mixed = branches(mixerBranches(w.token_mixer, `${path}.token_mixer`), x, context);
    return add(mixed, convMlp(w.mlp, w.layer_scale, mixed, `${path}.mlp`, context));
  }
  const mixed = add(x, mixedByAttention(w, x, path, context));
  return add(mixed, convMlp(w.mlp, w.layer_scale_2, mixed, `${path}.mlp`, context));
}

/** x + γ · (mixer(x) − norm(x)), as terms of one sum. */
function mixerBranches(w: RepMixer<Value>, path: string): Branch[] {
  const { reparam_conv: conv, mixer = {}, norm = {}, layer_scale: scale } = w;
  if (conv !== undefined || scale === undefined) return [{ conv }];
  const times = (gain: Value, terms: readonly Branch[]): Branch[] =>
    terms.map((branch) => ({ ...branch, norm: branch.norm && scaled(branch.norm, gain) }));
  return [
    {},
    ...times(scale.gamma, mobileOneBranches(mixer, `${path}.mixer`)),
    ...times(neg(scale.gamma), mobileOneBranches(norm, `${path}.norm`)),
  ];
}

function convMlp(
  { conv, fc1, fc2 }: ConvMlp<Value>,
  { gamma }: LayerScale<Value>,
  x: Value,
  path: string,
  context: Context,
): Value {
  const seen = branches([convNorm(conv, `${path}.conv`)], x, context);
  const inner = gelu(branches([{ conv: fc1 }], seen, context));
  return branches([{ conv: scaled(fc2, gamma) }], inner, context);
}

function mixedByAttention(
  { norm: before, token_mixer: { qkv, proj }, layer_scale_1: { gamma } }: AttentionBlock<Value>,
  x: Value,
  path: string,
  context: Context,
): Value {
  const [batch, width] = x.shape;
  // [batch, width, places] → [batch, places, width]
  const tokensOf = (y: Value) => swap(reshape(y, [batch!, width!, -1]));
  const normed =
    "running_mean" in before
      ? tokensOf(batchNorm(before, x, eps, `${path}.norm`, context))
      : norm(before, tokensOf(x), eps);
  const weights = { in_proj_weight: qkv.weight, in_proj_bias: qkv.bias, out_proj: scaled(proj, gamma) };
  return reshape(swap(attention(weights, normed, (width as number) / headWidth)), x.shape);
}
