import { CliptError, i64, scalar, showShape, type Dim } from "../../tensor/index.js";
import { defineOp } from "../op.js";
import type { Value } from "../value.js";
import { constant } from "./leaf.js";
import { reshape } from "./movement.js";

const gatherOp = defineOp({
  name: "gather",
  infer: ([table, ids]) => {
    if (ids!.dtype !== "int64" && ids!.dtype !== "int32")
      throw new CliptError("shape", `gather: ids are ${ids!.dtype}, not int64 or int32.`);
    return { dtype: table!.dtype, shape: [...ids!.shape, ...table!.shape.slice(1)] };
  },
  onnx: (emit, inputs) => emit.node("Gather", inputs, { axis: 0 }),
  grad: ([g], { inputs: [table, ids] }) => {
    const [rows, ...rest] = table!.shape;
    return [scatterAdd(reshape(ids!, [-1]), reshape(g!, [-1, ...rest]), rows!), undefined];
  },
});
/** Rows of a table: table [rows, …], ids [any shape] → [ids' shape, …]. */
export const gather = (table: Value, ids: Value): Value => gatherOp([table, ids], undefined);

const scatterAddOp = defineOp<{ rows: Dim }>({
  name: "scatterAdd",
  infer: ([ids, values], { rows }) => {
    if (ids!.shape.length !== 1 || ids!.shape[0] !== values!.shape[0])
      throw new CliptError(
        "shape",
        `scatterAdd: ids ${showShape(ids!.shape)} do not name the rows of ${showShape(values!.shape)}.`,
      );
    return { dtype: values!.dtype, shape: [rows, ...values!.shape.slice(1)] };
  },
  // ScatterND with reduction "add" loses sums on several CPU threads; ScatterElements runs in order.
  onnx: (emit, [ids, values], { inputs, outputs }) => {
    const shape = inputs[1]!.shape;
    const [zeros] = emit.node("Expand", [emit.tensor(scalar(0)), emit.shape(outputs[0]!.shape)]);
    const [column] = emit.node("Reshape", [ids!, emit.shape([shape[0]!, ...shape.slice(1).map(() => 1)])]);
    const [index] = emit.node("Expand", [column!, emit.shape(shape)]);
    return emit.node("ScatterElements", [zeros!, index!, values!], { axis: 0, reduction: "add" });
  },
  grad: ([g], { inputs: [ids] }) => [undefined, gather(g!, ids!)],
});
/** Sums rows into a table of zeros: ids [n], values [n, …] → [rows, …]; row ids[i] receives values[i]. */
export const scatterAdd = (ids: Value, values: Value, rows: Dim): Value =>
  scatterAddOp([ids, values], { rows });

const oneHotOp = defineOp<{ depth: Dim }>({
  name: "oneHot",
  infer: ([ids], { depth }) => ({ dtype: "float32", shape: [...ids!.shape, depth] }),
  onnx: (emit, [ids], { attrs }) =>
    emit.node(
      "OneHot",
      [
        ids!,
        emit.shape([attrs.depth]),
        emit.tensor({ dtype: "float32", shape: [2], data: Float32Array.of(0, 1) }),
      ],
      {
        axis: -1,
      },
    ),
  grad: { none: "an index is constant almost everywhere" },
});
/** 1 at each index, 0 elsewhere: ids [any] → [any, depth]; float32. */
export const oneHot = (ids: Value, depth: Dim): Value => oneHotOp([ids], { depth });

const rangeOp = defineOp<{ length: Dim }>({
  name: "range",
  infer: (_, { length }) => ({ dtype: "int64", shape: [length] }),
  onnx: (emit, _, { attrs }) => {
    const [length] = emit.node("Squeeze", [emit.shape([attrs.length])]);
    return emit.node("Range", [emit.tensor(i64([], [0])), length!, emit.tensor(i64([], [1]))]);
  },
  grad: { none: "has no inputs" },
});
/** 0, 1, … length − 1; int64. */
export const range = (length: Dim): Value =>
  typeof length === "number" ? constant(i64([length], [...Array(length).keys()])) : rangeOp([], { length });
