import { axisOf, i64, product, type Dim, type Shape } from "../../tensor/index.js";
import { defineOp } from "../op.js";
import type { Gradient, Value } from "../value.js";
import { cast, div, equal, exp, mul, sub } from "./elementwise.js";
import { expand } from "./movement.js";
import { constant } from "./leaf.js";

interface Reduce {
  readonly axes: readonly number[];
}

const reduced = (shape: Shape, axes: readonly number[]): Dim[] =>
  shape.map((dim, i) => (axes.includes(i) ? 1 : dim));

const reduction = (name: string, onnx: string, grad: Gradient<Reduce>) =>
  defineOp<Reduce>({
    name,
    infer: ([x], { axes }) => ({ dtype: x!.dtype, shape: reduced(x!.shape, axes) }),
    onnx: (emit, [x], { attrs }) =>
      emit.node(onnx, [x!, emit.tensor(i64([attrs.axes.length], attrs.axes))], { keepdims: 1 }),
    grad,
  });

const axesOf = (x: Value, axes?: number | readonly number[]): number[] =>
  (axes === undefined ? x.shape.map((_, i) => i) : typeof axes === "number" ? [axes] : axes)
    .map((axis) => axisOf(axis, x.shape.length))
    .sort((a, b) => a - b);

const sumOp = reduction("sum", "ReduceSum", ([g], { inputs: [x] }) => [expand(g!, x!.shape)]);
/** Sum over axes (all by default), which stay with length 1. */
export const sum = (x: Value, axes?: number | readonly number[]): Value =>
  sumOp([x], { axes: axesOf(x, axes) });

const meanOp = reduction("mean", "ReduceMean", ([g], { inputs: [x], attrs: { axes } }) => {
  const count = product(axes.map((axis) => x!.shape[axis]!));
  const scaled = typeof count === "number" ? mul(g!, 1 / count) : div(g!, countOf(x!, axes));
  return [expand(scaled, x!.shape)];
});
/** Mean over axes (all by default), which stay with length 1. */
export const mean = (x: Value, axes?: number | readonly number[]): Value =>
  meanOp([x], { axes: axesOf(x, axes) });

/** How many elements the axes hold, when that is known only at run time. */
const countOf = (x: Value, axes: readonly number[]): Value =>
  sum(
    expand(
      constant({ dtype: "float32", shape: [], data: Float32Array.of(1) }),
      axes.map((axis) => x.shape[axis]!),
    ),
  );

const maxOp = reduction("reduceMax", "ReduceMax", ([g], { inputs: [x], outputs: [y], attrs: { axes } }) => {
  // Equal maxima share the gradient, as torch.amax does.
  const hit = cast(equal(x!, y!), "float32");
  return [mul(hit, div(g!, sum(hit, axes)))];
});
/** Maximum over axes, which stay with length 1. */
export const reduceMax = (x: Value, axes?: number | readonly number[]): Value =>
  maxOp([x], { axes: axesOf(x, axes) });

const alongAxis = (name: string, onnx: string, grad: Gradient<{ axis: number }>) =>
  defineOp<{ axis: number }>({
    name,
    infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
    onnx: (emit, [x], { attrs }) => emit.node(onnx, [x!], { axis: attrs.axis }),
    grad,
  });

const softmaxOp = alongAxis("softmax", "Softmax", ([g], { outputs: [y], attrs: { axis } }) => {
  const gy = mul(g!, y!);
  return [sub(gy, mul(y!, sum(gy, axis)))];
});
export const softmax = (x: Value, axis = -1): Value => softmaxOp([x], { axis: axisOf(axis, x.shape.length) });

const logSoftmaxOp = alongAxis("logSoftmax", "LogSoftmax", ([g], { outputs: [y], attrs: { axis } }) => [
  sub(g!, mul(exp(y!), sum(g!, axis))),
]);
export const logSoftmax = (x: Value, axis = -1): Value =>
  logSoftmaxOp([x], { axis: axisOf(axis, x.shape.length) });

const argmaxOp = defineOp<{ axis: number }>({
  name: "argmax",
  infer: ([x], { axis }) => ({ dtype: "int64", shape: x!.shape.filter((_, i) => i !== axis) }),
  onnx: (emit, [x], { attrs }) => emit.node("ArgMax", [x!], { axis: attrs.axis, keepdims: 0 }),
  grad: { none: "an index is constant almost everywhere" },
});
/** Index of the first maximum along an axis, which goes away; int64. */
export const argmax = (x: Value, axis = -1): Value => argmaxOp([x], { axis: axisOf(axis, x.shape.length) });
