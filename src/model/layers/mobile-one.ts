import { mean, mul, relu, sigmoid, type Value } from "../../graph/index.js";
import type { Context } from "../context.js";
import type { Spec } from "../spec.js";
import { gelu } from "./activation.js";
import { batchNormSpec, type BatchNorm } from "./batch-norm.js";
import {
  branches,
  convNorm,
  convNormSpec,
  convSpec,
  type Branch,
  type Conv,
  type ConvNorm,
} from "./branches.js";

/** Channels weighed by what the whole picture holds of them. */
export interface SqueezeExcite<T> {
  readonly fc1: Conv<T>;
  readonly fc2: Conv<T>;
}

/**
 * A convolution in its two forms: the branches that it was trained as, or `reparam_conv`, which they were folded
 * into. Names are timm's, of `MobileOneBlock` and `ReparamLargeKernelConv`.
 */
export interface MobileOne<T> {
  readonly conv_kxk?: readonly ConvNorm<T>[] | undefined;
  readonly conv_scale?: ConvNorm<T> | undefined;
  readonly identity?: BatchNorm<T> | undefined;
  readonly large_conv?: ConvNorm<T> | undefined;
  readonly small_conv?: ConvNorm<T> | undefined;
  readonly reparam_conv?: Conv<T> | undefined;
  readonly se?: SqueezeExcite<T> | undefined;
}

/** What decides which branches there are. */
export interface MobileOneShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly side: number;
  readonly stride?: number;
  /** One kernel sees one channel. */
  readonly depthwise?: boolean;
  /** Whether a kernel of one pixel stands beside one of several; default true. */
  readonly scale?: boolean;
  /** Channels between the two layers of the squeeze. */
  readonly squeeze?: number | undefined;
  readonly folded: boolean;
}

const squeezeSpec = (channels: number, squeeze: number | undefined): SqueezeExcite<Spec> | undefined =>
  squeeze === undefined
    ? undefined
    : { fc1: convSpec(channels, squeeze, 1), fc2: convSpec(squeeze, channels, 1) };

export function mobileOneSpec(shape: MobileOneShape): MobileOne<Spec> {
  const { inputs, outputs, side, stride = 1, depthwise, scale = true, squeeze, folded } = shape;
  const groups = depthwise ? inputs : 1;
  const se = squeezeSpec(outputs, squeeze);
  if (folded) return { reparam_conv: convSpec(inputs, outputs, side, { groups }), se };
  return {
    conv_kxk: [convNormSpec(inputs, outputs, side, groups)],
    conv_scale: scale && side > 1 ? convNormSpec(inputs, outputs, 1, groups) : undefined,
    identity: inputs === outputs && stride === 1 ? batchNormSpec(inputs) : undefined,
    se,
  };
}

/** A depthwise convolution of a large kernel and, in training, a small one beside it. */
export function largeKernelSpec(
  { inputs, outputs, side, squeeze, folded }: MobileOneShape,
  small: number,
): MobileOne<Spec> {
  const se = squeezeSpec(outputs, squeeze);
  if (folded) return { reparam_conv: convSpec(inputs, outputs, side, { groups: inputs }), se };
  return {
    large_conv: convNormSpec(inputs, outputs, side, inputs),
    small_conv: convNormSpec(inputs, outputs, small, inputs),
    se,
  };
}

/** The terms whose sum is the convolution. */
export function mobileOneBranches(w: MobileOne<Value>, path: string): Branch[] {
  const { conv_kxk = [], conv_scale, large_conv, small_conv, identity, reparam_conv } = w;
  const normed = { conv_scale, large_conv, small_conv };
  return [
    ...(reparam_conv === undefined ? [] : [{ conv: reparam_conv }]),
    ...conv_kxk.map((branch, i) => convNorm(branch, `${path}.conv_kxk.${i}`)),
    ...Object.entries(normed).flatMap(([name, branch]) => (branch ? [convNorm(branch, `${path}.${name}`)] : [])),
    ...(identity === undefined ? [] : [{ norm: identity, path: `${path}.identity` }]),
  ]; // prettier-ignore
}

/**
 * The convolution, the squeeze where there is one, GELU. x: [batch, channels, height, width] → [batch, out, …].
 *
 * @source timm `MobileOneBlock`; Vasu et al., MobileOne (arXiv 2206.04040)
 */
export function mobileOne(w: MobileOne<Value>, x: Value, path: string, context: Context, stride = 1): Value {
  const y = branches(mobileOneBranches(w, path), x, context, stride);
  return gelu(w.se === undefined ? y : squeezeExcite(w.se, y));
}

/** Source: Hu et al., Squeeze-and-Excitation (arXiv 1709.01507). */
function squeezeExcite({ fc1, fc2 }: SqueezeExcite<Value>, x: Value): Value {
  const inner = relu(branches([{ conv: fc1 }], mean(x, [2, 3]), {}));
  return mul(x, sigmoid(branches([{ conv: fc2 }], inner, {})));
}
