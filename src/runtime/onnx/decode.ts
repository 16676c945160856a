import * as ops from "../../graph/index.js";
import type { Value } from "../../graph/index.js";
import {
  arrayOf,
  byteSize,
  CliptError,
  product,
  sizeOf,
  type DataOf,
  type Dim,
  type DType,
  type Shape,
  type Tensor,
} from "../../tensor/index.js";
import { readModel, type NodeProto, type TensorProto } from "./proto.js";

/** Bytes of a file beside the model, by the name that the model gives it. */
export type ReadExternal = (location: string, offset: number, length: number) => Uint8Array;

export interface ImportedModel {
  readonly inputs: Readonly<Record<string, Value>>;
  readonly outputs: Readonly<Record<string, Value>>;
}

/**
 * An ONNX model as values of our graph: it can be run, differentiated, cut and joined to others like any of ours.
 *
 * @param external where weights outside of the model's own bytes are read from
 * @throws `format` when the bytes are no ONNX model, `unsupported` for an operator that has no counterpart here
 */
export function importModel(bytes: Uint8Array, external?: ReadExternal): ImportedModel {
  const { graph } = readModel(bytes);
  const scope = new Scope();
  for (const proto of graph.initializers) scope.tensor(proto.name, decodeTensor(proto, external));
  const inputs: Record<string, Value> = {};
  for (const { name, dtype, shape } of graph.inputs) {
    if (scope.has(name)) continue; // Old models list their weights among the inputs.
    inputs[name] = ops.input(
      name,
      shape.map((dim, i) => (dim === "?" ? `${name}.${i}` : dim)),
      dtype,
    );
    scope.value(name, inputs[name]);
  }
  for (const node of graph.nodes) {
    const rule =
      rules[node.domain === "" || node.domain === "ai.onnx" ? node.type : `${node.domain}.${node.type}`];
    if (rule === undefined)
      throw new CliptError(
        "unsupported",
        `The ONNX operator ${node.type} has no counterpart in clipt's graph.`,
      );
    rule(new Call(node, scope, external));
  }
  return { inputs, outputs: Object.fromEntries(graph.outputs.map(({ name }) => [name, scope.get(name)])) };
}

function decodeTensor({ name, dtype, shape, data }: TensorProto, external?: ReadExternal): Tensor {
  const length = sizeOf(shape) * byteSize(dtype);
  const bytes = data instanceof Uint8Array ? data : readOutside(name, data, external);
  if (bytes.length !== length)
    throw new CliptError("format", `The ONNX tensor ${name} has ${bytes.length} bytes instead of ${length}.`);
  const own = bytes.slice(); // Aligned, and no view of the whole file.
  return { dtype, shape, data: new arrayOf[dtype](own.buffer, 0, sizeOf(shape)) as DataOf[DType] };
}

function readOutside(
  name: string,
  data: Exclude<TensorProto["data"], Uint8Array>,
  external?: ReadExternal,
): Uint8Array {
  if (external === undefined)
    throw new CliptError(
      "missing",
      `The ONNX tensor ${name} lies in the file ${data.location}, which was not given.`,
    );
  return external(data.location, data.offset, data.length);
}

/** What is known under each name: a value, and for small integers also which lengths they are. */
class Scope {
  private readonly values = new Map<string, Value>();
  private readonly lengths = new Map<string, Shape>();

  has = (name: string): boolean => this.values.has(name) || this.lengths.has(name);

  value(name: string, value: Value): void {
    this.values.set(name, value);
  }

  tensor(name: string, tensor: Tensor): void {
    this.values.set(name, ops.constant(tensor, { name }));
    if (tensor.dtype === "int64" && tensor.shape.length <= 1)
      this.lengths.set(name, Array.from(tensor.data, Number));
  }

  /** A vector of lengths, some of which only the run will know. */
  dims(name: string, dims: Shape): void {
    this.lengths.set(name, dims);
  }

  get(name: string): Value {
    const value = this.values.get(name);
    if (value === undefined)
      throw new CliptError("format", `The ONNX graph uses ${name} before it is computed.`);
    return value;
  }

  lengthsOf(name: string): Shape {
    const dims = this.lengths.get(name);
    if (dims === undefined)
      throw new CliptError("unsupported", `The ONNX graph computes the shape ${name} from data.`);
    return dims;
  }

  knowsLengths = (name: string): boolean => this.lengths.has(name) && !this.values.has(name);
}

/** One node with its surroundings. */
class Call {
  constructor(
    readonly node: NodeProto,
    readonly scope: Scope,
    private readonly external: ReadExternal | undefined,
  ) {}

  has = (i: number): boolean => (this.node.inputs[i] ?? "") !== "";
  input = (i: number): Value => this.scope.get(this.node.inputs[i] ?? "");
  lengths = (i: number): Shape => this.scope.lengthsOf(this.node.inputs[i] ?? "");
  numbers = (i: number): number[] => this.lengths(i).map(Number);
  give = (value: Value, i = 0): void => this.scope.value(this.node.outputs[i]!, value);
  giveDims = (dims: Shape): void => this.scope.dims(this.node.outputs[0]!, dims);
  ofLengths = (): boolean => this.node.inputs.some((name) => this.scope.knowsLengths(name));

  attribute(name: string, otherwise: number): number;
  attribute(name: string, otherwise: readonly number[]): readonly number[];
  attribute(name: string, otherwise: number | readonly number[]): number | readonly number[] {
    const found = this.node.attributes.find((attribute) => attribute.name === name);
    return found === undefined ? otherwise : (found.value as number | readonly number[]);
  }

  constant(): Tensor {
    const found = this.node.attributes.find(({ kind }) => kind === "tensor");
    if (found?.kind !== "tensor") throw new CliptError("unsupported", "An ONNX Constant is not a tensor.");
    return decodeTensor(found.value, this.external);
  }

  /** From an input since opset 13 or 18, from an attribute before. */
  axes(i: number): number[] | undefined {
    if (this.has(i)) return this.numbers(i);
    const axes = this.attribute("axes", []);
    return axes.length > 0 ? [...axes] : undefined;
  }
}

type Rule = (call: Call) => void;

const unary =
  (op: (x: Value) => Value): Rule =>
  (c) =>
    c.give(op(c.input(0)));
const binary =
  (op: (a: Value, b: Value) => Value): Rule =>
  (c) =>
    c.give(op(c.input(0), c.input(1)));

const reduction =
  (op: (x: Value, axes?: readonly number[]) => Value): Rule =>
  (c) => {
    const x = c.input(0);
    const axes = c.axes(1) ?? x.shape.map((_, i) => i);
    const y = op(x, axes);
    c.give(c.attribute("keepdims", 1) === 1 ? y : without(y, axes));
  };

/** Axes of length 1 taken away. */
const without = (x: Value, axes: readonly number[]): Value => {
  const gone = axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis));
  return ops.reshape(
    x,
    x.shape.filter((_, i) => !gone.includes(i)),
  );
};

/** ONNX's 0 repeats a length of the input, −1 is worked out. */
const target = (x: Value, dims: Shape): Dim[] => dims.map((dim, i) => (dim === 0 ? x.shape[i]! : dim));

const rules: Readonly<Record<string, Rule>> = {
  Add: binary(ops.add),
  Sub: binary(ops.sub),
  Div: binary(ops.div),
  Max: binary(ops.max),
  Min: binary(ops.min),
  Less: binary(ops.less),
  Equal: binary(ops.equal),
  MatMul: binary(ops.matmul),
  Neg: unary(ops.neg),
  Exp: unary(ops.exp),
  Log: unary(ops.log),
  Sqrt: unary(ops.sqrt),
  Reciprocal: unary(ops.reciprocal),
  Tanh: unary(ops.tanh),
  Sigmoid: unary(ops.sigmoid),
  Softplus: unary(ops.softplus),
  Abs: unary(ops.abs),
  Sign: unary(ops.sign),
  Floor: unary(ops.floor),
  Erf: unary(ops.erf),
  Relu: unary(ops.relu),
  Identity: (c) => (c.ofLengths() ? c.giveDims(c.lengths(0)) : c.give(c.input(0))),
  Mul: (c) => {
    if (!c.ofLengths()) return c.give(ops.mul(c.input(0), c.input(1)));
    const [a, b] = [c.lengths(0), c.lengths(1)];
    c.giveDims(a.map((dim, i) => product([dim, b[b.length === 1 ? 0 : i]!])));
  },
  Constant: (c) => c.scope.tensor(c.node.outputs[0]!, c.constant()),
  Shape: (c) => {
    const { shape } = c.input(0);
    c.giveDims(shape.slice(c.attribute("start", 0), c.attribute("end", shape.length)));
  },
  Concat: (c) => {
    if (c.ofLengths()) c.giveDims(c.node.inputs.flatMap((_, i) => [...c.lengths(i)]));
    else
      c.give(
        ops.concat(
          c.node.inputs.map((_, i) => c.input(i)),
          c.attribute("axis", 0),
        ),
      );
  },
  Clip: (c) => {
    const bound = (i: number, otherwise: number): number => {
      if (!c.has(i)) return otherwise;
      const { node } = c.input(i);
      return Number((node.attrs as { tensor?: Tensor }).tensor?.data[0] ?? otherwise);
    };
    c.give(ops.clip(c.input(0), bound(1, -Infinity), bound(2, Infinity)));
  },
  Where: (c) => c.give(ops.where(c.input(0), c.input(1), c.input(2))),
  Cast: (c) => {
    const to = Object.entries(ops.onnxType).find(([, code]) => code === c.attribute("to", 1));
    if (to === undefined)
      throw new CliptError("unsupported", `An ONNX Cast leads to data type ${c.attribute("to", 1)}.`);
    c.give(ops.cast(c.input(0), to[0] as DType));
  },
  ReduceSum: reduction(ops.sum),
  ReduceMean: reduction(ops.mean),
  ReduceMax: reduction(ops.reduceMax),
  Softmax: (c) => c.give(ops.softmax(c.input(0), c.attribute("axis", -1))),
  LogSoftmax: (c) => c.give(ops.logSoftmax(c.input(0), c.attribute("axis", -1))),
  ArgMax: (c) => {
    const index = ops.argmax(c.input(0), c.attribute("axis", 0));
    const axis = c.attribute("axis", 0);
    c.give(c.attribute("keepdims", 1) === 1 ? ops.reshape(index, c.input(0).shape.with(axis, 1)) : index);
  },
  Gemm: (c) => {
    const [transA, transB] = [c.attribute("transA", 0) === 1, c.attribute("transB", 0) === 1];
    const product = ops.gemm(c.input(0), c.input(1), { transA, transB });
    const scaled = c.attribute("alpha", 1) === 1 ? product : ops.mul(product, c.attribute("alpha", 1));
    if (!c.has(2)) return c.give(scaled);
    const bias = c.attribute("beta", 1) === 1 ? c.input(2) : ops.mul(c.input(2), c.attribute("beta", 1));
    c.give(ops.add(scaled, bias));
  },
  Reshape: (c) => c.give(ops.reshape(c.input(0), target(c.input(0), c.lengths(1)))),
  Flatten: (c) => {
    const x = c.input(0);
    const axis = c.attribute("axis", 1);
    c.give(ops.reshape(x, [product(x.shape.slice(0, axis)), product(x.shape.slice(axis))]));
  },
  Unsqueeze: (c) => {
    const x = c.input(0);
    const axes = c.axes(1)!;
    const rank = x.shape.length + axes.length;
    const kept = [...x.shape];
    const at = axes.map((axis) => (axis < 0 ? axis + rank : axis));
    c.give(
      ops.reshape(
        x,
        Array.from({ length: rank }, (_, i) => (at.includes(i) ? 1 : kept.shift()!)),
      ),
    );
  },
  Squeeze: (c) => {
    if (c.ofLengths()) return c.giveDims(c.lengths(0));
    const x = c.input(0);
    c.give(without(x, c.axes(1) ?? x.shape.flatMap((dim, i) => (dim === 1 ? [i] : []))));
  },
  Transpose: (c) => {
    const x = c.input(0);
    c.give(
      ops.transpose(
        x,
        c.attribute(
          "perm",
          x.shape.map((_, i) => x.shape.length - 1 - i),
        ),
      ),
    );
  },
  Expand: (c) => c.give(ops.expand(c.input(0), c.lengths(1))),
  Slice: (c) => {
    const [starts, ends] = [c.numbers(1), c.numbers(2)];
    const axes = c.has(3) ? c.numbers(3) : starts.map((_, i) => i);
    const steps = c.has(4) ? c.numbers(4) : starts.map(() => 1);
    c.give(
      axes.reduce((x, axis, i) => {
        const length = Number(x.shape.at(axis));
        const inside = (n: number) => Math.min(Math.max(n < 0 ? n + length : n, 0), length);
        return ops.slice(x, axis, inside(starts[i]!), inside(ends[i]!), steps[i]!);
      }, c.input(0)),
    );
  },
  Pad: (c) => {
    const pads = c.numbers(1);
    const rank = pads.length / 2;
    c.give(
      ops.pad(
        c.input(0),
        Array.from({ length: rank }, (_, i) => [pads[i]!, pads[i + rank]!]),
      ),
    );
  },
  Gather: (c) => {
    if (c.attribute("axis", 0) !== 0)
      throw new CliptError(
        "unsupported",
        "An ONNX Gather along another axis than the first has no counterpart here.",
      );
    c.give(ops.gather(c.input(0), c.input(1)));
  },
  OneHot: (c) => c.give(ops.oneHot(c.input(0), c.lengths(1)[0]!)),
  Range: (c) => c.give(ops.range(c.lengths(1)[0]!)),
  LayerNormalization: (c) => {
    const x = c.input(0);
    const beta = c.has(2) ? c.input(2) : ops.filled([Number(x.shape.at(-1))], 0);
    c.give(ops.layerNorm(x, c.input(1), beta, c.attribute("epsilon", 1e-5)));
  },
  Conv: (c) => {
    const pads = c.attribute("pads", [0, 0, 0, 0]) as readonly [number, number, number, number];
    const [stride = 1] = c.attribute("strides", [1, 1]);
    const [dilation = 1] = c.attribute("dilations", [1, 1]);
    const bias = c.has(2) ? c.input(2) : undefined;
    c.give(
      ops.conv(c.input(0), c.input(1), { pads, stride, dilation, groups: c.attribute("group", 1), bias }),
    );
  },
};
