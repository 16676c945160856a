import { broadcast, CliptError, showShape } from "../../tensor/index.js";
import { defineOp } from "../op.js";
import type { Value } from "../value.js";
import { swap } from "./movement.js";

const matmulOp = defineOp({
  name: "matmul",
  infer: ([a, b]) => {
    const [rows, inner] = a!.shape.slice(-2);
    const [inner2, columns] = b!.shape.slice(-2);
    if (a!.shape.length < 2 || b!.shape.length < 2 || inner !== inner2)
      throw new CliptError(
        "shape",
        `matmul: ${showShape(a!.shape)} times ${showShape(b!.shape)} does not fit.`,
      );
    return {
      dtype: a!.dtype,
      shape: [...broadcast(a!.shape.slice(0, -2), b!.shape.slice(0, -2)), rows!, columns!],
    };
  },
  onnx: "MatMul",
  grad: ([g], { inputs: [a, b] }) => [matmul(g!, swap(b!)), matmul(swap(a!), g!)],
});
/** Matrix product of the last two axes; leading axes broadcast. ONNX MatMul-13. */
export const matmul = (a: Value, b: Value): Value => matmulOp([a, b], undefined);

/** Which of the two matrices are transposed first. */
export interface Gemm {
  readonly transA: boolean;
  readonly transB: boolean;
}

const gemmOp = defineOp<Gemm>({
  name: "gemm",
  infer: ([a, b, c], { transA, transB }) => {
    const [rows, inner] = transA ? a!.shape.toReversed() : a!.shape;
    const [inner2, columns] = transB ? b!.shape.toReversed() : b!.shape;
    if (a!.shape.length !== 2 || b!.shape.length !== 2 || inner !== inner2)
      throw new CliptError("shape", `gemm: ${showShape(a!.shape)} and ${showShape(b!.shape)} do not fit.`);
    if (c !== undefined && (c.shape.length !== 1 || c.shape[0] !== columns))
      throw new CliptError(
        "shape",
        `gemm: a bias of shape ${showShape(c.shape)} does not fit ${columns} columns.`,
      );
    return { dtype: a!.dtype, shape: [rows!, columns!] };
  },
  onnx: (emit, inputs, { attrs }) =>
    emit.node("Gemm", inputs, { transA: Number(attrs.transA), transB: Number(attrs.transB) }),
  grad: ([g], { inputs: [a, b, c], attrs: { transA, transB } }) => [
    transA ? gemm(b!, g!, { transA: transB, transB: true }) : gemm(g!, b!, { transB: !transB }),
    transB ? gemm(g!, a!, { transA: true, transB: transA }) : gemm(a!, g!, { transA: !transA }),
    ...(c === undefined ? [] : [g]),
  ],
});
/**
 * Product of two matrices, either one transposed first, plus a bias per column. ONNX Gemm-13.
 * The fastest form of a linear layer on ONNX Runtime's CPU.
 */
export function gemm(a: Value, b: Value, options: Partial<Gemm> & { bias?: Value | undefined } = {}): Value {
  const { transA = false, transB = false, bias } = options;
  return gemmOp(bias === undefined ? [a, b] : [a, b, bias], { transA, transB });
}
