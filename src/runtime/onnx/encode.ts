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

export interface EncodeOptions {
  /** Inputs in the order in which the model lists them, also those that no result depends on; absent: as they are met. */
  readonly inputs?: readonly Value[] | undefined;
  /** The name, as the model will say it, of a file for the program's own large constants; absent: they stay inside. */
  readonly ownFile?: string | undefined;
  /** The name, as the model will say it, of a file that constants are mapped from; absent: they are copied inside. */
  readonly locate?: ((path: string) => string) | undefined;
}

/** A program as an ONNX model, and what has to be written to `ownFile`. */
export interface EncodedModel {
  readonly bytes: Uint8Array;
  readonly own: readonly Uint8Array[];
}

/** Constants from this size on are kept outside of the model's own message, which is limited to 2 GB. */
const outsideFrom = 1 << 16;

/**
 * Writes the program that computes `outputs` as an ONNX model.
 *
 * @param outputs names of the results and their values
 * @throws `shape` when two inputs share a name or a symbol has no input to be read from
 */
export function encodeModel(
  outputs: Readonly<Record<string, Value>>,
  options: EncodeOptions = {},
): EncodedModel {
  const writer = new Writer(topological([...(options.inputs ?? []), ...Object.values(outputs)]), options);
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
  return { bytes, own: writer.own };
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
  readonly own: Uint8Array[] = [];
  private ownBytes = 0;
  private count = 0;

  constructor(
    readonly order: readonly Node[],
    private readonly options: EncodeOptions,
  ) {
    for (const node of order.filter(isInput)) {
      const { name } = node.attrs as InputAttrs;
      if (this.inputs.some((known) => known.name === name))
        throw new CliptError("shape", `Two inputs are named ${name}.`);
      this.inputs.push(valueInfo(name, node.outputs[0]!));
    }
  }

  add(node: Node): void {
    const results =
      node.op.name === "constant" ? [this.constant(node.attrs as ConstantAttrs)] : this.emit(node);
    node.outputs.forEach((value, i) => this.names.set(value, results[i]!));
  }

  private constant(attrs: ConstantAttrs): string {
    const { locate } = this.options;
    if (attrs.location === undefined || locate === undefined) return this.tensor(attrs.tensor);
    return this.mapped(attrs, attrs.location, locate);
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
      data:
        data.length < outsideFrom || this.options.ownFile === undefined
          ? data
          : this.outside(data, this.options.ownFile),
    });
    return name;
  }

  private outside(data: Uint8Array, location: string): TensorProto["data"] {
    const offset = this.ownBytes;
    const padding = -data.length & 63;
    this.own.push(data, new Uint8Array(padding));
    this.ownBytes += data.length + padding;
    return { location, offset, length: data.length };
  }

  private mapped(
    { tensor, name }: ConstantAttrs,
    file: FileLocation,
    locate: (path: string) => string,
  ): string {
    const unique = this.fresh(name ?? "c");
    const data = { location: locate(file.path), offset: file.offset, length: file.length };
    this.initializers.push({ name: unique, dtype: tensor.dtype, shape: tensor.shape, data });
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
