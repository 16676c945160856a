import { add, conv, filled, mul, oneHot, pad, range, reshape, type Value } from "../../graph/index.js";
import type { Context } from "../context.js";
import { uniformSpec, type Spec } from "../spec.js";
import { affine, batchNorm, batchNormSpec, type BatchNorm } from "./batch-norm.js";

/** weight: [out, in / groups, side, side], an odd side; bias: [out]. */
export interface Conv<T> {
  readonly weight: T;
  readonly bias?: T | undefined;
}

/** timm's `ConvNormAct` without an activation. */
export interface ConvNorm<T> {
  readonly conv: Conv<T>;
  readonly bn: BatchNorm<T>;
}

/** PyTorch's own start: uniform within 1/√fan-in, for weights and bias alike. */
export function convSpec(
  inputs: number,
  outputs: number,
  side: number,
  { groups = 1, bias = true } = {},
): Conv<Spec> {
  const bound = ((inputs / groups) * side * side) ** -0.5;
  return {
    weight: uniformSpec(bound, outputs, inputs / groups, side, side),
    ...(bias ? { bias: uniformSpec(bound, outputs) } : {}),
  };
}

export const convNormSpec = (
  inputs: number,
  outputs: number,
  side: number,
  groups?: number,
): ConvNorm<Spec> => ({
  conv: convSpec(inputs, outputs, side, { groups, bias: false }),
  bn: batchNormSpec(outputs),
});

/** One term of a sum over the same input: norm(conv(x)), or x where both are absent. */
export interface Branch {
  readonly conv?: Conv<Value> | undefined;
  readonly norm?: BatchNorm<Value> | undefined;
  /** Dotted path of the norm's weights. */
  readonly path?: string | undefined;
}

export const convNorm = ({ conv, bn }: ConvNorm<Value>, path: string): Branch => ({
  conv,
  norm: bn,
  path: `${path}.bn`,
});

const eps = 1e-5;

/**
 * A sum of branches that were made to become one convolution. Where batch norm uses the batch's statistics, each
 * is computed by itself. Otherwise the kernel of that one convolution is made of the weights: a runtime that knows
 * them does so once, when the program is opened.
 *
 * @param x [batch, channels, height, width], padded to its own size
 * @source  Ding et al., RepVGG (arXiv 2101.03697), section 3.3
 */
export function branches(terms: readonly Branch[], x: Value, context: Context, stride = 1): Value {
  if (context.statistics === undefined) return padded(folded(terms, x.shape[1] as number), x, stride);
  return terms
    .map(({ conv, norm, path = "" }) => {
      const y = conv === undefined ? x : padded(conv, x, stride);
      return norm === undefined ? y : batchNorm(norm, y, eps, path, context);
    })
    .reduce(add);
}

/** The same layer with its outputs multiplied, each by its own gain. gain: [out], or with axes of length 1 behind. */
export function scaled<W extends { readonly weight: Value; readonly bias?: Value | undefined }>(
  w: W,
  gain: Value,
): W {
  const outputs = w.weight.shape[0]!;
  const times = (y: Value) => mul(y, reshape(gain, [outputs, ...y.shape.slice(1).map(() => 1)]));
  return { ...w, weight: times(w.weight), bias: w.bias && times(w.bias) };
}

/** A convolution whose outputs are as many as its steps over the input. One channel a kernel: depthwise. */
function padded({ weight, bias }: Conv<Value>, x: Value, stride: number): Value {
  const [, perGroup, side] = weight.shape as readonly number[];
  const around = (side! - 1) / 2;
  const groups = (x.shape[1] as number) / perGroup!;
  return conv(x, weight, { stride, groups, pads: [around, around, around, around], bias });
}

/** One convolution for a sum of branches, at least one of which has a kernel. */
function folded(terms: readonly Branch[], channels: number): Conv<Value> {
  const kernels = terms.flatMap(({ conv }) => conv?.weight ?? []);
  const perGroup = kernels[0]!.shape[1] as number;
  const side = Math.max(...kernels.map((kernel) => kernel.shape[2] as number));
  return terms
    .map(({ conv, norm }): Conv<Value> => {
      const own = conv ?? { weight: identity(channels, perGroup) };
      const { weight, bias } = { ...own, weight: widened(own.weight, side) };
      if (norm === undefined) return { weight, bias };
      const { factor, term } = affine(norm, eps);
      return { weight: scaled({ weight }, factor).weight, bias: sum(bias && mul(bias, factor), term) };
    })
    .reduce((a, b) => ({ weight: add(a.weight, b.weight), bias: sum(a.bias, b.bias) }));
}

const sum = (a: Value | undefined, b: Value | undefined): Value | undefined =>
  a === undefined || b === undefined ? (a ?? b) : add(a, b);

/** The kernel of one pixel that changes nothing; depthwise, or dense. */
const identity = (channels: number, perGroup: number): Value =>
  perGroup === 1
    ? filled([channels, 1, 1, 1], 1)
    : reshape(oneHot(range(channels), channels), [channels, channels, 1, 1]);

/** The same kernel in the middle of a larger one. */
function widened(kernel: Value, side: number): Value {
  const around = (side - (kernel.shape[2] as number)) / 2;
  return pad(kernel, [[0, 0], [0, 0], [around, around], [around, around]]); // prettier-ignore
}
