import { PbfReader } from "pbf";
import { CliptError } from "../../tensor/index.js";
import { readValueInfo, type ValueInfoProto } from "./proto.js";

/** What a model takes and gives, and which files it wants beside its own. */
export interface OnnxSignature {
  readonly inputs: readonly ValueInfoProto[];
  readonly outputs: readonly ValueInfoProto[];
  /** What it wants of files beside its own, as it names them. */
  readonly external: readonly ExternalData[];
}

/** Bytes of another file up to `end`; NaN where the model gives no number. */
export interface ExternalData {
  readonly location: string;
  readonly end: number;
}

type Message = keyof typeof parts;

/**
 * Where messages of an ONNX file hold others, down to the tensors, by field number; nothing else is looked at. So any
 * model can be read, whatever its operators are. Source: onnx/onnx.proto3 (Apache-2.0).
 */
const parts = {
  model: { 7: "graph", 20: "training", 25: "function" },
  training: { 1: "graph", 2: "graph" },
  graph: { 1: "node", 5: "tensor", 15: "sparse" },
  function: { 7: "node", 11: "attribute" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse" },
  sparse: { 1: "tensor", 2: "tensor" },
  tensor: {},
} as const satisfies Readonly<Record<string, Readonly<Record<number, string>>>>;

/** @throws `format` when the bytes are not an ONNX model */
export function readSignature(bytes: Uint8Array): OnnxSignature {
  const [inputs, outputs]: ValueInfoProto[][] = [[], []];
  const weights = new Set<string>();
  const external: ExternalData[] = [];

  const read = (message: Message, reader: PbfReader, top: boolean): void => {
    const entries = new Map<string, string>();
    reader.readMessage((tag, _, p) => {
      const part = (parts[message] as Readonly<Record<number, Message>>)[tag];
      if (message === "graph" && top && tag === 11) inputs!.push(readValueInfo(p));
      else if (message === "graph" && top && tag === 12) outputs!.push(readValueInfo(p));
      else if (message === "tensor" && top && tag === 8) weights.add(p.readString());
      else if (message === "tensor" && tag === 13) readEntry(p, entries);
      else if (part !== undefined) read(part, p, top && (part === "graph" || part === "tensor"));
    }, undefined);
    const location = entries.get("location");
    if (location !== undefined)
      external.push({ location, end: sum(entries.get("offset"), entries.get("length")) });
  };

  try {
    new PbfReader(bytes).readFields((tag, _, p) => {
      const part = (parts.model as Readonly<Record<number, Message>>)[tag];
      if (part !== undefined) read(part, p, part === "graph");
    }, undefined);
  } catch (cause) {
    if (cause instanceof CliptError) throw cause;
    throw new CliptError("format", "The file is not an ONNX model, or is cut short.", { cause });
  }
  if (outputs!.length === 0) throw new CliptError("format", "The file holds no ONNX graph.");
  // Old models list their weights among the inputs.
  return {
    inputs: inputs!.filter(({ name }) => !weights.has(name)),
    outputs: outputs!,
    external,
  };
}

/** NaN for anything but whole numbers from 0 on; what is absent counts as 0. */
const sum = (...digits: readonly (string | undefined)[]): number =>
  digits.reduce((total, text = "0") => total + (/^\d+$/.test(text) ? Number(text) : NaN), 0);

/** One pair of a tensor's `external_data`. */
function readEntry(reader: PbfReader, entries: Map<string, string>): void {
  const entry = { key: "", value: "" };
  reader.readMessage((tag, into: typeof entry, p) => {
    if (tag === 1) into.key = p.readString();
    else if (tag === 2) into.value = p.readString();
  }, entry);
  entries.set(entry.key, entry.value);
}
