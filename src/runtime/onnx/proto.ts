import { PbfReader, PbfWriter } from "pbf";
import { CliptError, type DType } from "../../tensor/index.js";
import { onnxType } from "../../graph/index.js";

/**
 * The part of ONNX's protobuf messages that clipt writes and reads. Field numbers: onnx/onnx.proto3 (Apache-2.0).
 */
export interface ModelProto {
  readonly irVersion: number;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly producer: string;
  readonly graph: GraphProto;
}

export interface GraphProto {
  readonly name: string;
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
  readonly inputs: readonly ValueInfoProto[];
  readonly outputs: readonly ValueInfoProto[];
}

export interface NodeProto {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly AttributeProto[];
}

export type AttributeProto = { readonly name: string } & (
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "tensor"; readonly value: TensorProto }
);

export interface TensorProto {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Little-endian bytes, or where they lie outside of the model file. */
  readonly data: Uint8Array | { readonly location: string; readonly offset: number; readonly length: number };
}

export interface ValueInfoProto {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
}

export function writeModel(model: ModelProto): Uint8Array {
  const out = new PbfWriter();
  out.writeVarintField(1, model.irVersion);
  out.writeStringField(2, model.producer);
  out.writeMessage(7, writeGraph, model.graph);
  for (const opset of model.opsets)
    out.writeMessage(
      8,
      ({ domain, version }, p) => {
        if (domain !== "") p.writeStringField(1, domain);
        p.writeVarintField(2, version);
      },
      opset,
    );
  return out.finish();
}

function writeGraph(graph: GraphProto, out: PbfWriter): void {
  for (const node of graph.nodes) out.writeMessage(1, writeNode, node);
  out.writeStringField(2, graph.name);
  for (const tensor of graph.initializers) out.writeMessage(5, writeTensor, tensor);
  for (const value of graph.inputs) out.writeMessage(11, writeValueInfo, value);
  for (const value of graph.outputs) out.writeMessage(12, writeValueInfo, value);
}

function writeNode(node: NodeProto, out: PbfWriter): void {
  for (const name of node.inputs) out.writeStringField(1, name);
  for (const name of node.outputs) out.writeStringField(2, name);
  out.writeStringField(4, node.type);
  for (const attribute of node.attributes) out.writeMessage(5, writeAttribute, attribute);
  if (node.domain !== "") out.writeStringField(7, node.domain);
}

/** AttributeProto.AttributeType. */
const attributeType = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7 } as const;

function writeAttribute(attribute: AttributeProto, out: PbfWriter): void {
  out.writeStringField(1, attribute.name);
  switch (attribute.kind) {
    case "float":
      out.writeFloatField(2, attribute.value);
      break;
    case "int":
      out.writeVarintField(3, attribute.value);
      break;
    case "string":
      out.writeStringField(4, attribute.value);
      break;
    case "tensor":
      out.writeMessage(5, writeTensor, attribute.value);
      break;
    case "floats":
      out.writePackedFloat(7, [...attribute.value]);
      break;
    case "ints":
      for (const value of attribute.value) out.writeVarintField(8, value);
      break;
  }
  out.writeVarintField(20, attributeType[attribute.kind]);
}

function writeTensor(tensor: TensorProto, out: PbfWriter): void {
  for (const dim of tensor.shape) out.writeVarintField(1, dim);
  out.writeVarintField(2, onnxType[tensor.dtype]);
  out.writeStringField(8, tensor.name);
  if (tensor.data instanceof Uint8Array) out.writeBytesField(9, tensor.data);
  else {
    const { location, offset, length } = tensor.data;
    for (const entry of Object.entries({ location, offset: String(offset), length: String(length) }))
      out.writeMessage(
        13,
        ([key, value], p) => {
          p.writeStringField(1, key);
          p.writeStringField(2, value);
        },
        entry,
      );
    out.writeVarintField(14, 1);
  }
}

function writeValueInfo(value: ValueInfoProto, out: PbfWriter): void {
  out.writeStringField(1, value.name);
  out.writeMessage(
    2,
    (type, typeOut) => {
      typeOut.writeMessage(
        1,
        ({ dtype, shape }, tensorOut) => {
          tensorOut.writeVarintField(1, onnxType[dtype]);
          tensorOut.writeMessage(
            2,
            (dims, shapeOut) => {
              for (const dim of dims)
                shapeOut.writeMessage(
                  1,
                  (d, dimOut) => {
                    if (typeof d === "number") dimOut.writeVarintField(1, d);
                    else dimOut.writeStringField(2, d);
                  },
                  dim,
                );
            },
            shape,
          );
        },
        type,
      );
    },
    value,
  );
}

const dtypeOf = new Map(Object.entries(onnxType).map(([dtype, code]) => [code, dtype as DType]));

function readDType(code: number): DType {
  const dtype = dtypeOf.get(code);
  if (dtype === undefined)
    throw new CliptError(
      "unsupported",
      `The ONNX file holds tensors of data type ${code}, which clipt does not read.`,
    );
  return dtype;
}

/** @throws `format` when the bytes are not an ONNX model */
export function readModel(bytes: Uint8Array): ModelProto {
  const opsets: ModelProto["opsets"][number][] = [];
  try {
    const model = new PbfReader(bytes).readFields(
      (tag, m: Mutable<ModelProto>, p) => {
        if (tag === 1) m.irVersion = p.readVarint();
        else if (tag === 2) m.producer = p.readString();
        else if (tag === 7) m.graph = readGraph(p);
        else if (tag === 8)
          opsets.push(
            message(p, { domain: "", version: 0 }, (t, o, q) => {
              if (t === 1) o.domain = q.readString();
              else if (t === 2) o.version = q.readVarint();
            }),
          );
      },
      { irVersion: 0, opsets, producer: "", graph: emptyGraph },
    );
    if (model.graph === emptyGraph) throw new CliptError("format", "The file holds no ONNX graph.");
    return model;
  } catch (cause) {
    if (cause instanceof CliptError) throw cause;
    throw new CliptError("format", "The file is not an ONNX model, or is cut short.", { cause });
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
const emptyGraph: GraphProto = { name: "", nodes: [], initializers: [], inputs: [], outputs: [] };

const message = <T>(p: PbfReader, start: T, read: (tag: number, result: T, p: PbfReader) => void): T =>
  p.readMessage(read, start);

const readGraph = (p: PbfReader): GraphProto =>
  message(
    p,
    {
      name: "",
      nodes: [] as NodeProto[],
      initializers: [] as TensorProto[],
      inputs: [] as ValueInfoProto[],
      outputs: [] as ValueInfoProto[],
    },
    (tag, graph, q) => {
      if (tag === 1) graph.nodes.push(readNode(q));
      else if (tag === 2) graph.name = q.readString();
      else if (tag === 5) graph.initializers.push(readTensor(q));
      else if (tag === 11) graph.inputs.push(readValueInfo(q));
      else if (tag === 12) graph.outputs.push(readValueInfo(q));
    },
  );

const readNode = (p: PbfReader): NodeProto =>
  message(
    p,
    {
      type: "",
      domain: "",
      inputs: [] as string[],
      outputs: [] as string[],
      attributes: [] as AttributeProto[],
    },
    (tag, node, q) => {
      if (tag === 1) node.inputs.push(q.readString());
      else if (tag === 2) node.outputs.push(q.readString());
      else if (tag === 4) node.type = q.readString();
      else if (tag === 5) node.attributes.push(readAttribute(q));
      else if (tag === 7) node.domain = q.readString();
    },
  );

function readAttribute(p: PbfReader): AttributeProto {
  const raw = message(
    p,
    {
      name: "",
      type: 0,
      f: 0,
      i: 0,
      s: "",
      t: undefined as TensorProto | undefined,
      floats: [] as number[],
      ints: [] as number[],
    },
    (tag, a, q) => {
      if (tag === 1) a.name = q.readString();
      else if (tag === 2) a.f = q.readFloat();
      else if (tag === 3) a.i = q.readVarint(true);
      else if (tag === 4) a.s = q.readString();
      else if (tag === 5) a.t = readTensor(q);
      else if (tag === 7) q.readPackedFloat(a.floats);
      else if (tag === 8) q.readPackedVarint(a.ints, true);
      else if (tag === 20) a.type = q.readVarint();
    },
  );
  const { name } = raw;
  if (raw.type === attributeType.float) return { name, kind: "float", value: raw.f };
  if (raw.type === attributeType.int) return { name, kind: "int", value: raw.i };
  if (raw.type === attributeType.string) return { name, kind: "string", value: raw.s };
  if (raw.type === attributeType.floats) return { name, kind: "floats", value: raw.floats };
  if (raw.type === attributeType.ints) return { name, kind: "ints", value: raw.ints };
  if (raw.type === attributeType.tensor && raw.t !== undefined) return { name, kind: "tensor", value: raw.t };
  throw new CliptError(
    "unsupported",
    `The ONNX attribute ${name} is of kind ${raw.type}, which clipt does not read.`,
  );
}

function readTensor(p: PbfReader): TensorProto {
  const raw = message(
    p,
    {
      name: "",
      type: 0,
      shape: [] as number[],
      raw: undefined as Uint8Array | undefined,
      external: new Map<string, string>(),
      floats: [] as number[],
      int32s: [] as number[],
      int64s: [] as number[],
    },
    (tag, t, q) => {
      if (tag === 1) q.readPackedVarint(t.shape, true);
      else if (tag === 2) t.type = q.readVarint();
      else if (tag === 4) q.readPackedFloat(t.floats);
      else if (tag === 5) q.readPackedVarint(t.int32s, true);
      else if (tag === 7) q.readPackedVarint(t.int64s, true);
      else if (tag === 8) t.name = q.readString();
      else if (tag === 9) t.raw = q.readBytes();
      else if (tag === 13) {
        const entry = message(q, { key: "", value: "" }, (f, e, r) => {
          if (f === 1) e.key = r.readString();
          else if (f === 2) e.value = r.readString();
        });
        t.external.set(entry.key, entry.value);
      }
    },
  );
  const { name, shape } = raw;
  const dtype = readDType(raw.type);
  if (raw.external.size > 0) {
    const number = (key: string) => Number(raw.external.get(key) ?? 0);
    return {
      name,
      dtype,
      shape,
      data: {
        location: raw.external.get("location") ?? "",
        offset: number("offset"),
        length: number("length"),
      },
    };
  }
  if (raw.raw !== undefined) return { name, dtype, shape, data: raw.raw };
  const bytes = (array: Float32Array | Int32Array | BigInt64Array | Uint8Array) =>
    new Uint8Array(array.buffer);
  if (dtype === "float32") return { name, dtype, shape, data: bytes(Float32Array.from(raw.floats)) };
  if (dtype === "int64") return { name, dtype, shape, data: bytes(BigInt64Array.from(raw.int64s, BigInt)) };
  if (dtype === "int32") return { name, dtype, shape, data: bytes(Int32Array.from(raw.int32s)) };
  if (dtype === "bool" || dtype === "uint8") return { name, dtype, shape, data: Uint8Array.from(raw.int32s) };
  throw new CliptError(
    "unsupported",
    `The ONNX tensor ${name} keeps ${dtype} numbers in a form that clipt does not read.`,
  );
}

/** One input or output; a length without a number or a name is "?". */
export const readValueInfo = (p: PbfReader): ValueInfoProto =>
  message(p, { name: "", dtype: "float32" as DType, shape: [] as (number | string)[] }, (tag, value, q) => {
    if (tag === 1) value.name = q.readString();
    else if (tag === 2)
      message(q, value, (typeTag, v, r) => {
        if (typeTag !== 1) throw new CliptError("unsupported", `The ONNX value ${v.name} is not a tensor.`);
        message(r, v, (tensorTag, w, s) => {
          if (tensorTag === 1) w.dtype = readDType(s.readVarint());
          else if (tensorTag === 2)
            message(s, w.shape, (dimTag, shape, d) => {
              if (dimTag === 1)
                shape.push(
                  message(d, { dim: "?" as number | string }, (t, x, e) => {
                    if (t === 1) x.dim = e.readVarint(true);
                    else if (t === 2) x.dim = e.readString();
                  }).dim,
                );
            });
        });
      });
  });
