import { conv, reshape, swap, type Value } from "../../graph/index.js";
import type { Context } from "../context.js";
import type { Spec } from "../spec.js";
import { gelu } from "./activation.js";
import { batchNorm, batchNormSpec, type BatchNorm } from "./batch-norm.js";
import { convSpec, type Conv } from "./branches.js";

/** Convolutions one after another whose kernels do not overlap; the last has a bias instead of norm and GELU. */
export type ConvStem<T> = readonly { readonly conv: Conv<T>; readonly bn?: BatchNorm<T> | undefined }[];

const eps = 1e-5;

/** @param strides sides of the kernels, px; the last convolution has `width` channels, the others a quarter */
export const convStemSpec = (width: number, strides: readonly number[]): ConvStem<Spec> =>
  strides.map((side, i) => {
    const inputs = i === 0 ? 3 : width / 4;
    return i === strides.length - 1
      ? { conv: convSpec(inputs, width, side) }
      : { conv: convSpec(inputs, width / 4, side, { bias: false }), bn: batchNormSpec(width / 4) };
  });

/**
 * Patches as tokens. pixels: [batch, 3, height, width] → [batch, patches, width], row by row.
 *
 * @source timm `ConvStem`, MobileCLIP-B
 */
export function convStem(w: ConvStem<Value>, pixels: Value, path: string, context: Context): Value {
  const x = w.reduce((y, { conv: { weight, bias }, bn }, i) => {
    const z = conv(y, weight, { stride: weight.shape[2] as number, bias });
    return bn === undefined ? z : gelu(batchNorm(bn, z, eps, `${path}.${i}.bn`, context));
  }, pixels);
  return swap(reshape(x, [x.shape[0]!, x.shape[1]!, -1]));
}
