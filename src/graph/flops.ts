import { topological, type Node, type Value } from "./value.js";

/**
 * Floating-point operations of all products of matrices and convolutions of a program, counted from shapes: two for
 * each multiplication with its addition. Elementwise work is left out, as is usual.
 *
 * @returns NaN when a length is known only at run time
 */
export const flops = (results: readonly Value[]): number =>
  topological(results).reduce((total, node) => total + flopsOf(node), 0);

/** The same of one node. */
export function flopsOf({ op, inputs, outputs, attrs }: Node): number {
  const size = (value: Value | undefined) =>
    (value?.shape ?? []).reduce<number>((a, dim) => a * Number(dim), 1);
  const [a, b] = inputs;
  switch (op.name) {
    case "matmul":
      return 2 * size(outputs[0]) * Number(a!.shape.at(-1));
    case "gemm":
      return 2 * size(outputs[0]) * Number(a!.shape[(attrs as { transA: boolean }).transA ? 0 : 1]);
    case "conv":
      return (2 * size(outputs[0]) * size(b)) / Number(b!.shape[0]);
    case "convTranspose":
      return (2 * size(a) * size(b)) / Number(b!.shape[0]);
    default:
      return 0;
  }
}
