import { gemm, reshape, slice, transpose, type Value } from "../../graph/index.js";
import { uniformSpec, type Spec } from "../spec.js";

/** weight: [width, 3, patch, patch]; bias: [width]. */
export interface PatchEmbedding<T> {
  readonly weight: T;
  readonly bias?: T | undefined;
}

export function patchEmbeddingSpec(width: number, patch: number, bias: boolean): PatchEmbedding<Spec> {
  const bound = (3 * patch * patch) ** -0.5;
  return {
    weight: uniformSpec(bound, width, 3, patch, patch),
    ...(bias ? { bias: uniformSpec(bound, width) } : {}),
  };
}

/**
 * A convolution whose kernels do not overlap, as one product of matrices. Pixels beyond the last whole patch are
 * left out.
 *
 * @param pixels [batch, 3, height, width]
 * @returns      [batch, patches, width], row by row
 */
export function patchEmbedding({ weight, bias }: PatchEmbedding<Value>, pixels: Value): Value {
  const [batch, channels, height, width] = pixels.shape as [number, number, number, number];
  const [outputs, , patch] = weight.shape as [number, number, number, number];
  const [rows, columns] = [Math.floor(height / patch), Math.floor(width / patch)];
  const whole = slice(slice(pixels, 2, 0, rows * patch), 3, 0, columns * patch);
  const cut = reshape(whole, [batch, channels, rows, patch, columns, patch]);
  const patches = reshape(transpose(cut, [0, 2, 4, 1, 3, 5]), [-1, channels * patch * patch]);
  const kernels = reshape(weight, [outputs, channels * patch * patch]);
  return reshape(gemm(patches, kernels, { transB: true, bias }), [batch, rows * columns, outputs]);
}
