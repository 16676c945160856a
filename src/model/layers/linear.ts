import { gemm, reshape, type Value } from "../../graph/index.js";
import { uniformSpec, type Spec } from "../spec.js";

/** weight: [out, in], as PyTorch keeps it; bias: [out]. */
export interface Linear<T> {
  readonly weight: T;
  readonly bias?: T | undefined;
}

/** PyTorch's own start: uniform within 1/√in, for weights and bias alike. */
export function linearSpec(
  inputs: number,
  outputs: number,
  { weight, bias }: { weight?: Spec; bias?: Spec | false } = {},
): Linear<Spec> {
  const bound = inputs ** -0.5;
  return {
    weight: weight ?? uniformSpec(bound, outputs, inputs),
    ...(bias === false ? {} : { bias: bias ?? uniformSpec(bound, outputs) }),
  };
}

/** x: [..., in] → [..., out]. Leading axes are joined: one product of matrices is the fastest form there is. */
export function linear({ weight, bias }: Linear<Value>, x: Value): Value {
  const rows = reshape(x, [-1, x.shape.at(-1)!]);
  return reshape(gemm(rows, weight, { transB: true, bias }), [...x.shape.slice(0, -1), weight.shape[0]!]);
}

/** x: [..., in], matrix: [in, out] → [..., out]: the projections that OpenAI keeps the other way round. */
export function project(matrix: Value, x: Value): Value {
  const rows = reshape(x, [-1, x.shape.at(-1)!]);
  return reshape(gemm(rows, matrix), [...x.shape.slice(0, -1), matrix.shape[1]!]);
}
