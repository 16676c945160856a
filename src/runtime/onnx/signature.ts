import { PbfReader } from "pbf";
import { CliptError } from "../../tensor/index.js";
import { readValueInfo, type ValueInfoProto } from "./proto.js";

/** What a model takes and gives, and which files it wants beside its own. */
export interface OnnxSignature {
  readonly inputs: readonly ValueInfoProto[];
  readonly outputs: readonly ValueInfoProto[];
  /** Names of files as the model gives them, each once. */
  readonly external: readonly string[];
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
  const [weights, external] = [new Set<string>(), new Set<string>()];

  const read = (message: Message, reader: PbfReader, top: boolean): void => {
    reader.readMessage((tag, _, p) => {
      const part = (parts[message] as Readonly<Record<number, Message>>)[tag];
      if (message === "graph" && top && tag === 11) inputs!.push(readValueInfo(p));
      else if (message === "graph" && top && tag === 12) outputs!.push(readValueInfo(p));
      else if (message === "tensor" && top && tag === 8) weights.add(p.readString());
      else if (message === "tensor" && tag === 13) readEntry(p, external);
      else if (part !== undefined) read(part, p, top && (part === "graph" || part === "tensor"));
    }, undefined);
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
    external: [...external],
  };
}

/** One pair of a tensor's `external_data`. */
function readEntry(reader: PbfReader, locations: Set<string>): void {
  const entry = { key: "", value: "" };
  reader.readMessage((tag, into: typeof entry, p) => {
    if (tag === 1) into.key = p.readString();
    else if (tag === 2) into.value = p.readString();
  }, entry);
  if (entry.key === "location") locations.add(entry.value);
}
