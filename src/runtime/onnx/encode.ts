import {
  topological,
  type ConstantAttrs,
  type Emit,
  type FileLocation,
  type InputAttrs,
  type Node,
  type OnnxAttribute,
  type OnnxAttributes,
  type Value,
} from "../../graph/index.js";
import { CliptError, i64, type Shape, type Tensor } from "../../tensor/index.js";
import {
  writeModel,
  type AttributeProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "./proto.js";

/** The opset that clipt writes: the oldest with reductions whose axes are inputs. */
const opset = 18;

/** A program as an ONNX model, with the files that hold its large weights. */
export interface EncodedModel {
  readonly bytes: Uint8Array;
  /** Files that must stand beside the model: their name there, and what they are. */
  readonly files: ReadonlyMap<string, { readonly path: string } | { readonly chunks: readonly Uint8Array[] }>;
}

/** Constants from this size on are kept outside of the model's own message, which is limited to 2 GB. */
const outsideFrom = 1 << 16;
const ownFile = "weights.bin";

/**
 * Writes the program that computes `outputs` as an ONNX model.
 *
 * @param outputs names of the results and their values
 * @throws `shape` when two inputs share a name or a symbol has no input to be read from
 */
export function encodeModel(outputs: Readonly<Record<string, Value>>): EncodedModel {
  const writer = new Writer(topological(Object.values(outputs)));
  for (const node of writer.order) writer.add(node);
  const results = Object.entries(outputs).map(([name, value]) => {
    writer.alias(name, value);
    return valueInfo(name, value);
  });
  const bytes = writeModel({
    irVersion: 9,
    opsets: [
      { domain: "", version: opset },
      ...[...writer.domains].map((domain) => ({ domain, version: 1 })),
    ],
    producer: "clipt",
    graph: {
      name: "clipt",
      nodes: writer.nodes,
      initializers: writer.initializers,
      inputs: writer.inputs,
      outputs: results,
    },
  });
  return { bytes, files: writer.files() };
}

const valueInfo = (name: string, { dtype, shape }: Value): ValueInfoProto => ({ name, dtype, shape });

const isInput = (node: Node): boolean => node.op.name === "input";

class Writer implements Emit {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly inputs: ValueInfoProto[] = [];
  readonly domains = new Set<string>();
  private readonly names = new Map<Value, string>();
  private readonly small = new Map<string, string>();
  private readonly large = new Map<Tensor, string>();
  private readonly symbols = new Map<string, string>();
  private readonly linked = new Map<string, string>();
  private readonly chunks: Uint8Array[] = [];
  private chunkBytes = 0;
  private count = 0;

  constructor(readonly order: readonly Node[]) {
    for (const node of order.filter(isInput)) {
      const { name } = node.attrs as InputAttrs;
      if (this.inputs.some((known) => known.name === name))
        throw new CliptError("shape", `Two inputs are named ${name}.`);
      this.inputs.push(valueInfo(name, node.outputs[0]!));
    }
  }

  add(node: Node): void {
    const location = node.op.name === "constant" ? (node.attrs as ConstantAttrs).location : undefined;
    const results =
      location === undefined ? this.emit(node) : [this.mapped(node.attrs as ConstantAttrs, location)];
    node.outputs.forEach((value, i) => this.names.set(value, results[i]!));
  }

  private emit(node: Node): readonly string[] {
    const inputs = node.inputs.map((value) => this.names.get(value)!);
    const { onnx } = node.op;
    return typeof onnx === "string"
      ? this.node(onnx, inputs, {}, { outputs: node.outputs.length })
      : onnx(this, inputs, node);
  }

  node(
    type: string,
    inputs: readonly string[],
    attributes: OnnxAttributes = {},
    { outputs = 1, domain = "" } = {},
  ): string[] {
    const names = Array.from({ length: outputs }, () => this.fresh());
    if (domain !== "") this.domains.add(domain);
    this.nodes.push({
      type,
      domain,
      inputs,
      outputs: names,
      attributes: Object.entries(attributes).map(attributeOf),
    });
    return names;
  }

  tensor(tensor: Tensor): string {
    const data = new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
    const known = this.large.get(tensor);
    if (known !== undefined) return known;
    const key = data.length <= 64 ? `${tensor.dtype}[${tensor.shape}]${data}` : undefined;
    const same = key === undefined ? undefined : this.small.get(key);
    if (same !== undefined) return same;
    const name = this.fresh("c");
    if (key !== undefined) this.small.set(key, name);
    else this.large.set(tensor, name);
    this.initializers.push({
      name,
      dtype: tensor.dtype,
      shape: tensor.shape,
      data: data.length < outsideFrom ? data : this.outside(data),
    });
    return name;
  }

  private outside(data: Uint8Array): TensorProto["data"] {
    const offset = this.chunkBytes;
    const padding = -data.length & 63;
    this.chunks.push(data, new Uint8Array(padding));
    this.chunkBytes += data.length + padding;
    return { location: ownFile, offset, length: data.length };
  }

  private mapped({ tensor, name }: ConstantAttrs, { path, offset, length }: FileLocation): string {
    const file = this.linked.get(path) ?? `weights-${this.linked.size}`;
    this.linked.set(path, file);
    const unique = this.fresh(name ?? "c");
    this.initializers.push({
      name: unique,
      dtype: tensor.dtype,
      shape: tensor.shape,
      data: { location: file, offset, length },
    });
    return unique;
  }

  shape(shape: Shape): string {
    const whole = shape.every((dim) => typeof dim === "number");
    if (whole) return this.tensor(i64([shape.length], shape));
    const parts = shape.map((dim) =>
      typeof dim === "number" ? this.tensor(i64([1], [dim])) : this.symbol(dim),
    );
    return parts.length === 1 ? parts[0]! : this.node("Concat", parts, { axis: 0 })[0]!;
  }

  /** int64 [1]: the length that a symbol, or a product of symbols, has in this run. */
  private symbol(dim: string): string {
    const known = this.symbols.get(dim);
    if (known !== undefined) return known;
    const factors = dim.split("*");
    const name =
      factors.length === 1
        ? this.measure(dim)
        : factors
            .map((factor) =>
              /^\d+$/.test(factor) ? this.tensor(i64([1], [Number(factor)])) : this.symbol(factor),
            )
            .reduce((a, b) => this.node("Mul", [a, b])[0]!);
    this.symbols.set(dim, name);
    return name;
  }

  private measure(symbol: string): string {
    for (const { name, shape } of this.inputs) {
      const axis = shape.indexOf(symbol);
      if (axis >= 0) return this.node("Shape", [name], { start: axis, end: axis + 1 })[0]!;
    }
    throw new CliptError("shape", `No input of the program has the length "${symbol}".`);
  }

  /** Gives a result its public name. */
  alias(name: string, value: Value): void {
    this.nodes.push({
      type: "Identity",
      domain: "",
      inputs: [this.names.get(value)!],
      outputs: [name],
      attributes: [],
    });
  }

  files(): EncodedModel["files"] {
    const files = new Map<string, { path: string } | { chunks: readonly Uint8Array[] }>();
    for (const [path, name] of this.linked) files.set(name, { path });
    if (this.chunks.length > 0) files.set(ownFile, { chunks: this.chunks });
    return files;
  }

  private fresh(prefix = "v"): string {
    return `${prefix}#${this.count++}`;
  }
}

function attributeOf([name, value]: [string, OnnxAttribute]): AttributeProto {
  if (typeof value === "number") return { name, kind: "int", value };
  if (typeof value === "string") return { name, kind: "string", value };
  if ("float" in value) return { name, kind: "float", value: value.float };
  return { name, kind: "ints", value };
}
