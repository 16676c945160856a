import { CliptError, showShape } from "../../tensor/index.js";
import { defineOp } from "../op.js";
import type { Value } from "../value.js";

const rounding = { none: "a rounded number is constant almost everywhere" };

const quantiseOp = defineOp({
  name: "quantise",
  infer: ([x]) => [
    { dtype: "uint8", shape: x!.shape },
    { dtype: "float32", shape: [] },
    { dtype: "uint8", shape: [] },
  ],
  onnx: "DynamicQuantizeLinear",
  grad: rounding,
});

/** Numbers as bytes: (values − zero) · scale is what they stand for. */
export interface Quantised {
  /** uint8, the shape of the numbers. */
  readonly values: Value;
  /** float32 []. */
  readonly scale: Value;
  /** uint8 []. */
  readonly zero: Value;
}

/** Spreads the 256 bytes over the range that all numbers of `x`, and 0, have in this run. ONNX DynamicQuantizeLinear-11. */
export function quantise(x: Value): Quantised {
  const [values, scale, zero] = quantiseOp.all([x], undefined);
  return { values: values!, scale: scale!, zero: zero! };
}

const matmulIntegerOp = defineOp({
  name: "matmulInteger",
  infer: ([a, b]) => {
    const [rows, inner] = a!.shape;
    const [inner2, columns] = b!.shape;
    if (a!.shape.length !== 2 || b!.shape.length !== 2 || inner !== inner2)
      throw new CliptError(
        "shape",
        `matmulInteger: ${showShape(a!.shape)} times ${showShape(b!.shape)} does not fit.`,
      );
    return { dtype: "int32", shape: [rows!, columns!] };
  },
  onnx: "MatMulInteger",
  grad: rounding,
});
/** (a − zero) · b in whole numbers: a uint8 [rows, inner], b int8 [inner, columns] → int32. ONNX MatMulInteger-10. */
export const matmulInteger = ({ values, zero }: Quantised, b: Value): Value =>
  matmulIntegerOp([values, b, zero], undefined);

/** Numbers that share a factor in `matmul4`. */
export const fourBitBlock = 32;

const matmul4Op = defineOp({
  name: "matmul4",
  infer: ([x, values]) => {
    const [rows, inner] = x!.shape;
    const [columns, blocks] = values!.shape as readonly number[];
    if (x!.shape.length !== 2 || inner !== blocks! * fourBitBlock)
      throw new CliptError(
        "shape",
        `matmul4: ${showShape(x!.shape)} does not fit ${columns} rows of ${blocks} blocks.`,
      );
    return { dtype: "float32", shape: [rows!, columns!] };
  },
  onnx: (emit, inputs, { inputs: [x, values] }) =>
    emit.node(
      "MatMulNBits",
      inputs,
      {
        K: x!.shape[1] as number,
        N: values!.shape[0] as number,
        bits: 4,
        block_size: fourBitBlock,
        // Products of bytes: the fastest on CPUs, and within what four bits lose anyway.
        accuracy_level: 4,
      },
      { domain: "com.microsoft" },
    ),
  grad: rounding,
});
/**
 * x · wᵀ with four bits a weight, as `quantiseBlocks` packs them. ONNX Runtime's MatMulNBits.
 *
 * @param x      float32 [rows, inner]
 * @param values uint8 [columns, inner / 32, 16]
 * @param scale  float32 [columns · inner / 32]
 * @returns      float32 [rows, columns]
 */
export const matmul4 = (x: Value, values: Value, scale: Value): Value =>
  matmul4Op([x, values, scale], undefined);
