import {
  axisOf,
  broadcast,
  CliptError,
  i64,
  product,
  sameShape,
  showShape,
  type Dim,
  type Shape,
} from "../../tensor/index.js";
import { defineOp } from "../op.js";
import type { Value } from "../value.js";
import { mul } from "./elementwise.js";

const reshapeOp = defineOp<{ shape: Shape }>({
  name: "reshape",
  infer: ([x], { shape }) => {
    if (product(x!.shape) !== product(shape))
      throw new CliptError("shape", `reshape: ${showShape(x!.shape)} does not hold ${showShape(shape)}.`);
    return { dtype: x!.dtype, shape };
  },
  onnx: (emit, [x], { attrs: { shape } }) => {
    // ONNX works out one length by itself; more symbols are read from the inputs.
    const fixed = shape.filter((dim) => typeof dim === "number");
    const target =
      fixed.length < shape.length - 1 || fixed.includes(0)
        ? emit.shape(shape)
        : emit.tensor(
            i64(
              [shape.length],
              shape.map((dim) => (typeof dim === "number" ? dim : -1)),
            ),
          );
    return emit.node("Reshape", [x!, target]);
  },
  grad: ([g], { inputs: [x] }) => [reshape(g!, x!.shape)],
});
/** The same numbers in another shape. One `-1` is worked out. */
export function reshape(x: Value, shape: Shape): Value {
  const at = shape.indexOf(-1);
  const full = at < 0 ? shape : shape.map((dim, i) => (i === at ? missingFactor(x.shape, shape) : dim));
  return sameShape(x.shape, full) ? x : reshapeOp([x], { shape: full });
}

function missingFactor(whole: Shape, part: Shape): Dim {
  const [total, known] = [product(whole), product(part.filter((dim) => dim !== -1))];
  const split = (dim: Dim) =>
    String(dim)
      .split("*")
      .map((p) => (/^\d+$/.test(p) ? Number(p) : p));
  const rest = split(total).filter((p) => typeof p === "string");
  for (const symbol of split(known).filter((p) => typeof p === "string")) {
    const at = rest.indexOf(symbol);
    if (at < 0)
      throw new CliptError("shape", `reshape: ${showShape(whole)} does not hold ${showShape(part)}.`);
    rest.splice(at, 1);
  }
  const factor = (dim: Dim) => split(dim).reduce<number>((a, p) => (typeof p === "number" ? a * p : a), 1);
  return product([factor(total) / factor(known), ...rest]);
}

const transposeOp = defineOp<{ order: readonly number[] }>({
  name: "transpose",
  infer: ([x], { order }) => ({ dtype: x!.dtype, shape: order.map((axis) => x!.shape[axis]!) }),
  onnx: (emit, [x], { attrs }) => emit.node("Transpose", [x!], { perm: attrs.order }),
  grad: ([g], { attrs: { order } }) => [
    transpose(
      g!,
      order.map((_, i) => order.indexOf(i)),
    ),
  ],
});
/** Axes in another order: axis i of the result is axis order[i] of x. */
export function transpose(x: Value, order: readonly number[]): Value {
  if (order.length !== x.shape.length || new Set(order).size !== order.length)
    throw new CliptError("shape", `transpose: [${order}] does not order the axes of ${showShape(x.shape)}.`);
  return order.every((axis, i) => axis === i) ? x : transposeOp([x], { order });
}

/** The last two axes exchanged. */
export function swap(x: Value): Value {
  const rank = x.shape.length;
  return transpose(x, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
}

const expandOp = defineOp<{ shape: Shape }>({
  name: "expand",
  infer: ([x], { shape }) => {
    if (!sameShape(broadcast(x!.shape, shape), shape))
      throw new CliptError(
        "shape",
        `expand: ${showShape(x!.shape)} does not stretch to ${showShape(shape)}.`,
      );
    return { dtype: x!.dtype, shape };
  },
  onnx: (emit, [x], { attrs }) => emit.node("Expand", [x!, emit.shape(attrs.shape)]),
  grad: ([g]) => [g],
});
/** Stretched to a shape by broadcasting. */
export const expand = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : expandOp([x], { shape });

const concatOp = defineOp<{ axis: number }>({
  name: "concat",
  infer: (inputs, { axis }) => {
    const first = inputs[0]!;
    for (const x of inputs)
      if (x.dtype !== first.dtype || !sameShape(x.shape.toSpliced(axis, 1), first.shape.toSpliced(axis, 1)))
        throw new CliptError(
          "shape",
          `concat: ${showShape(x.shape)} does not continue ${showShape(first.shape)} along axis ${axis}.`,
        );
    return { dtype: first.dtype, shape: first.shape.with(axis, total(inputs.map((x) => x.shape[axis]!))) };
  },
  onnx: (emit, inputs, { attrs }) => emit.node("Concat", inputs, { axis: attrs.axis }),
  grad: ([g], { inputs, attrs: { axis } }) => {
    let start = 0;
    return inputs.map((x) => {
      const length = x.shape[axis] as number;
      const part = slice(g!, axis, start, start + length);
      start += length;
      return part;
    });
  },
});
export const concat = (inputs: readonly Value[], axis: number): Value =>
  inputs.length === 1 ? inputs[0]! : concatOp(inputs, { axis: axisOf(axis, inputs[0]!.shape.length) });

function total(dims: readonly Dim[]): number {
  return dims.reduce<number>((sum, dim) => {
    if (typeof dim === "string")
      throw new CliptError("shape", `concat: the joined axis has the unknown length ${dim}.`);
    return sum + dim;
  }, 0);
}

const sliceOp = defineOp<{ axis: number; start: number; end: number; step: number }>({
  name: "slice",
  infer: ([x], { axis, start, end, step }) => {
    const length = x!.shape[axis]!;
    if (typeof length === "number" && (start < 0 || end > length || start > end))
      throw new CliptError(
        "shape",
        `slice: ${start}…${end} is outside of axis ${axis} of ${showShape(x!.shape)}.`,
      );
    return { dtype: x!.dtype, shape: x!.shape.with(axis, Math.ceil((end - start) / step)) };
  },
  onnx: (emit, [x], { attrs: { axis, start, end, step } }) =>
    emit.node("Slice", [x!, ...[start, end, axis, step].map((n) => emit.tensor(i64([1], [n])))]),
  grad: ([g], { inputs: [x], attrs: { axis, start, end, step } }) => {
    const length = x!.shape[axis] as number;
    const spread = step === 1 ? g! : spreadOut(g!, axis, step, end - start);
    return [
      pad(
        spread,
        x!.shape.map((_, i) => (i === axis ? [start, length - end] : [0, 0])),
      ),
    ];
  },
});
/** Elements start, start + step, … below end, along one axis. */
export const slice = (x: Value, axis: number, start: number, end: number, step = 1): Value => {
  const at = axisOf(axis, x.shape.length);
  return start === 0 && end === x.shape[at] && step === 1 ? x : sliceOp([x], { axis: at, start, end, step });
};

/** Lengths of the parts, in their order. */
export interface Split {
  readonly axis: number;
  readonly sizes: readonly number[];
}

const splitOp = defineOp<Split>({
  name: "split",
  infer: ([x], { axis, sizes }) => {
    if (total(sizes) !== x!.shape[axis])
      throw new CliptError(
        "shape",
        `split: parts of ${sizes.join(", ")} are not axis ${axis} of ${showShape(x!.shape)}.`,
      );
    return sizes.map((size) => ({ dtype: x!.dtype, shape: x!.shape.with(axis, size) }));
  },
  onnx: (emit, [x], { attrs: { axis, sizes } }) =>
    emit.node("Split", [x!, emit.tensor(i64([sizes.length], sizes))], { axis }, { outputs: sizes.length }),
  grad: (gs, { outputs, attrs: { axis } }) => [
    concat(
      gs.map((g, i) => g ?? mul(outputs[i]!, 0)),
      axis,
    ),
  ],
});
/** Consecutive parts of an axis. Their gradients are joined again in one step, which slices' are not. */
export const split = (x: Value, axis: number, sizes: readonly number[]): readonly Value[] =>
  splitOp.all([x], { axis: axisOf(axis, x.shape.length), sizes });

/** Zeros between the elements of an axis: element i moves to i·step; the result has `length` elements. */
export function spreadOut(x: Value, axis: number, step: number, length: number): Value {
  const count = x.shape[axis] as number;
  const apart = reshape(x, x.shape.toSpliced(axis, 1, count, 1));
  const padded = pad(
    apart,
    apart.shape.map((_, i) => (i === axis + 1 ? [0, step - 1] : [0, 0])),
  );
  const joined = reshape(padded, x.shape.with(axis, count * step));
  const missing = length - count * step;
  if (missing <= 0) return slice(joined, axis, 0, length);
  return pad(
    joined,
    joined.shape.map((_, i) => (i === axis ? [0, missing] : [0, 0])),
  );
}

type Pads = readonly (readonly [number, number] | readonly number[])[];

const padOp = defineOp<{ pads: Pads }>({
  name: "pad",
  infer: ([x], { pads }) => ({
    dtype: x!.dtype,
    shape: x!.shape.map((dim, i) => {
      const [before = 0, after = 0] = pads[i]!;
      if (before + after === 0) return dim;
      if (typeof dim === "string")
        throw new CliptError("shape", `pad: axis ${i} of ${showShape(x!.shape)} has no fixed length.`);
      return dim + before + after;
    }),
  }),
  onnx: (emit, [x], { attrs: { pads } }) =>
    emit.node("Pad", [
      x!,
      emit.tensor(i64([2 * pads.length], [...pads.map((p) => p[0]), ...pads.map((p) => p[1])])),
    ]),
  grad: ([g], { inputs: [x], attrs: { pads } }) => [
    pads.reduce((value, [before = 0, after = 0], axis) => {
      if (before + after === 0) return value;
      return slice(value, axis, before, before + (x!.shape[axis] as number));
    }, g!),
  ],
});
/** Zeros before and after each axis: `pads[axis] = [before, after]`. */
export const pad = (x: Value, pads: Pads): Value =>
  pads.every(([before, after]) => before === 0 && after === 0) ? x : padOp([x], { pads });
