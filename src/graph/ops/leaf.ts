import { f32, scalar, type DType, type Shape, type Tensor } from "../../tensor/index.js";
import { defineOp } from "../op.js";
import type { ConstantAttrs, FileLocation, InputAttrs, Value } from "../value.js";

export const inputOp = defineOp<InputAttrs & { dtype: DType; shape: Shape }>({
  name: "input",
  infer: (_, { dtype, shape }) => ({ dtype, shape }),
  onnx: (_, __, node) => [node.attrs.name],
  grad: { none: "a leaf: the walk returns its gradient" },
});

/** A value that is fed when the program runs. */
export const input = (name: string, shape: Shape, dtype: DType = "float32"): Value =>
  inputOp([], { name, shape, dtype });

export const constantOp = defineOp<ConstantAttrs>({
  name: "constant",
  infer: (_, { tensor }) => ({ dtype: tensor.dtype, shape: tensor.shape }),
  onnx: (emit, _, node) => [emit.tensor(node.attrs.tensor)],
  grad: { none: "a leaf" },
});

/** A tensor inside the program. With a location, a runtime maps the file instead of copying the numbers. */
export const constant = (
  tensor: Tensor,
  options: { name?: string; location?: FileLocation | undefined } = {},
): Value => constantOp([], { tensor, ...options });

/** Numbers are taken as scalars wherever a value is expected. */
export type Operand = Value | number;
export const valueOf = (x: Operand): Value => (typeof x === "number" ? constant(scalar(x)) : x);

/** A constant filled with one number. */
export const filled = (shape: readonly number[], value: number): Value =>
  constant(f32(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value)));
