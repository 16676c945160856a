import { broadcast, CliptError, type DType } from "../../tensor/index.js";
import { defineOp } from "../op.js";
import type { Gradient, Type, Value } from "../value.js";
import { valueOf, type Operand } from "./leaf.js";

/** Two values of one type, stretched to each other. */
export function pair(name: string, [a, b]: readonly Value[], dtype?: DType): Type {
  if (a!.dtype !== b!.dtype)
    throw new CliptError("shape", `${name}: ${a!.dtype} and ${b!.dtype} do not mix; cast one of them.`);
  return { dtype: dtype ?? a!.dtype, shape: broadcast(a!.shape, b!.shape) };
}

const binary = (name: string, onnx: string, grad: Gradient<void> | { none: string }, dtype?: DType) => {
  const op = defineOp({ name, onnx, grad, infer: (inputs) => pair(name, inputs, dtype) });
  return (a: Operand, b: Operand): Value => op([valueOf(a), valueOf(b)], undefined);
};

const unary = (name: string, onnx: string, grad: Gradient<void> | { none: string }) => {
  const op = defineOp({ name, onnx, grad, infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }) });
  return (x: Value): Value => op([x], undefined);
};

export const add = binary("add", "Add", ([g]) => [g, g]);
export const sub = binary("sub", "Sub", ([g]) => [g, neg(g!)]);
export const mul = binary("mul", "Mul", ([g], { inputs: [a, b] }) => [mul(g!, b!), mul(g!, a!)]);
export const div = binary("div", "Div", ([g], { inputs: [, b], outputs: [y] }) => {
  const ga = div(g!, b!);
  return [ga, neg(mul(ga, y!))];
});
/** The greater of two; the gradient goes to the greater, and to the first of equals. */
export const max = binary("max", "Max", ([g], { inputs: [a, b] }) => [
  where(less(a!, b!), 0, g!),
  where(less(a!, b!), g!, 0),
]);
/** The smaller of two; the gradient goes to the smaller, and to the first of equals. */
export const min = binary("min", "Min", ([g], { inputs: [a, b] }) => [
  where(less(b!, a!), 0, g!),
  where(less(b!, a!), g!, 0),
]);

const comparison = "a comparison is constant almost everywhere";
export const less = binary("less", "Less", { none: comparison }, "bool");
export const equal = binary("equal", "Equal", { none: comparison }, "bool");

export const neg = unary("neg", "Neg", ([g]) => [neg(g!)]);
export const exp = unary("exp", "Exp", ([g], { outputs: [y] }) => [mul(g!, y!)]);
export const log = unary("log", "Log", ([g], { inputs: [x] }) => [div(g!, x!)]);
export const sqrt = unary("sqrt", "Sqrt", ([g], { outputs: [y] }) => [div(mul(g!, 0.5), y!)]);
export const reciprocal = unary("reciprocal", "Reciprocal", ([g], { outputs: [y] }) => [
  neg(mul(g!, mul(y!, y!))),
]);
export const tanh = unary("tanh", "Tanh", ([g], { outputs: [y] }) => [mul(g!, sub(1, mul(y!, y!)))]);
export const sigmoid = unary("sigmoid", "Sigmoid", ([g], { outputs: [y] }) => [mul(g!, mul(y!, sub(1, y!)))]);
/** log(1 + eˣ), stable on both sides. */
export const softplus = unary("softplus", "Softplus", ([g], { inputs: [x] }) => [mul(g!, sigmoid(x!))]);
export const abs = unary("abs", "Abs", ([g], { inputs: [x] }) => [mul(g!, sign(x!))]);
export const sign = unary("sign", "Sign", { none: "the sign is constant almost everywhere" });
export const floor = unary("floor", "Floor", { none: "a staircase is constant almost everywhere" });
export const erf = unary("erf", "Erf", ([g], { inputs: [x] }) => [
  mul(g!, mul(exp(neg(mul(x!, x!))), 2 / Math.sqrt(Math.PI))),
]);
export const relu = unary("relu", "Relu", ([g], { outputs: [y] }) => [where(less(valueOf(0), y!), g!, 0)]);

const clipOp = defineOp<{ low: number; high: number }>({
  name: "clip",
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  onnx: (emit, [x], { attrs }) =>
    emit.node("Clip", [
      x!,
      emit.tensor({ dtype: "float32", shape: [], data: Float32Array.of(attrs.low) }),
      emit.tensor({ dtype: "float32", shape: [], data: Float32Array.of(attrs.high) }),
    ]),
  grad: ([g], { outputs: [y], attrs: { low, high } }) => [
    where(less(low, y!), where(less(y!, high), g!, 0), 0),
  ],
});
/** Limits to [low, high]; nothing flows back from outside of the open interval. */
export const clip = (x: Value, low: number, high: number): Value => clipOp([x], { low, high });

const whereOp = defineOp({
  name: "where",
  infer: ([condition, a, b]) => {
    const type = pair("where", [a!, b!]);
    if (condition!.dtype !== "bool")
      throw new CliptError("shape", `where: the condition is ${condition!.dtype}, not bool.`);
    return { dtype: type.dtype, shape: broadcast(condition!.shape, type.shape) };
  },
  onnx: "Where",
  grad: ([g], { inputs: [condition] }) => [undefined, where(condition!, g!, 0), where(condition!, 0, g!)],
});
/** `a` where the condition holds, `b` elsewhere. */
export const where = (condition: Value, a: Operand, b: Operand): Value =>
  whereOp([condition, valueOf(a), valueOf(b)], undefined);

const castOp = defineOp<{ to: DType }>({
  name: "cast",
  infer: ([x], { to }) => ({ dtype: to, shape: x!.shape }),
  onnx: (emit, [x], { attrs }) => emit.node("Cast", [x!], { to: onnxType[attrs.to] }),
  grad: ([g], { inputs: [x] }) => [cast(g!, x!.dtype)],
});
export const cast = (x: Value, to: DType): Value => (x.dtype === to ? x : castOp([x], { to }));

/** TensorProto.DataType of the ONNX standard. */
export const onnxType: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
};
