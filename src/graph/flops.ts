import { topological, type Value } from "./value.js";

/**
 * Floating-point operations of all products of matrices and convolutions of a program, counted from shapes: two for
 * each multiplication with its addition. Elementwise work is left out, as is usual.
 *
 * @returns NaN when a length is known only at run time
 */
export function flops(results: readonly Value[]): number {
  let total = 0;
  for (const { op, inputs, outputs, attrs } of topological(results)) {
    const size = (value: Value | undefined) =>
      (value?.shape ?? []).reduce<number>((a, dim) => a * Number(dim), 1);
    const [a, b] = inputs;
    if (op.name === "matmul") total += 2 * size(outputs[0]) * Number(a!.shape.at(-1));
    else if (op.name === "gemm") {
      const { transA } = attrs as { transA: boolean };
      total += 2 * size(outputs[0]) * Number(a!.shape[transA ? 0 : 1]);
    } else if (op.name === "conv") total += (2 * size(outputs[0]) * size(b)) / Number(b!.shape[0]);
    else if (op.name === "convTranspose") total += (2 * size(a) * size(b)) / Number(b!.shape[0]);
  }
  return total;
}
