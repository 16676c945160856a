import { CliptError, type DType, outline, type Tensor } from "../tensor/index.js";
import { byteLengthOf, bytesOf, head, tensorFromBytes, type TensorInfo } from "./bytes.js";

/** A tensor in a file: its numbers lie from byte `begin` up to `end`, counted from the start of the file. */
export interface TensorSpan extends TensorInfo {
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of their bytes. */
  readonly entries: Map<string, TensorSpan>;
  readonly metadata: Record<string, string>;
}

/** The Python library refuses longer headers too; it bounds the memory that a hostile file can ask for. */
const headerLimit = 100_000_000;
/** Of 200,000 tensors. A name or a text may be long; only values take many times their bytes. */
const mostValues = 2_000_000;

/** The format's names, in the order in which the Python library lays tensors out: wide types first keeps all aligned. */
const names: Readonly<Record<DType, string>> = {
  uint64: "U64",
  int64: "I64",
  float64: "F64",
  float32: "F32",
  uint32: "U32",
  int32: "I32",
  bfloat16: "BF16",
  float16: "F16",
  uint16: "U16",
  int16: "I16",
  int8: "I8",
  uint8: "U8",
  bool: "BOOL",
};
const layoutOrder = Object.keys(names) as DType[];
const dtypes = new Map(layoutOrder.map((dtype) => [names[dtype], dtype]));

/**
 * Tensors of a whole safetensors file, as views into its bytes where those are aligned.
 *
 * @throws `format` when the file breaks a rule of the format
 * @source huggingface/safetensors, README "Format"
 */
export function readSafetensors(bytes: Uint8Array): {
  tensors: Map<string, Tensor>;
  metadata: Record<string, string>;
} {
  const { entries, metadata } = readSafetensorsHeader(bytes, bytes.length);
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape, begin, end }] of entries)
    tensors.set(name, tensorFromBytes(dtype, shape, bytes.subarray(begin, end)));
  return { tensors, metadata };
}

/**
 * Bytes from the start of the file to the end of its header, told by the first 8.
 *
 * @throws `format` when these cannot begin a safetensors file of that size
 */
export function safetensorsHeaderSize(start: Uint8Array, fileSize: number): number {
  if (start.length < 8 || fileSize < 8)
    throw broken(`it is ${Math.min(start.length, fileSize)} bytes long; the header's length alone takes 8`);
  const length = Number(new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true));
  if (length > headerLimit)
    throw broken(`its header claims ${length} bytes; at most ${headerLimit} are allowed`);
  if (8 + length > fileSize)
    throw broken(`its header claims ${length} bytes, and the file ends after ${fileSize}: it is cut off`);
  return 8 + length;
}

/**
 * What a file holds, from its first bytes alone.
 *
 * @param start    at least `safetensorsHeaderSize` bytes from the start of the file
 * @param fileSize bytes of the whole file; its tensors must fill it without gap or overlap
 * @throws         `format` when the header breaks a rule of the format
 */
export function readSafetensorsHeader(start: Uint8Array, fileSize: number): SafetensorsHeader {
  const size = safetensorsHeaderSize(start, fileSize);
  if (start.length < size) throw broken(`${start.length} bytes were given of a header of ${size}`);
  const { __metadata__: metadata = {}, ...infos } = parseHeader(start.subarray(8, size));
  if (!isRecord(metadata) || Object.values(metadata).some((value) => typeof value !== "string"))
    throw broken("its __metadata__ is not a map of texts");
  const spans = Object.entries(infos).map(([name, info]) => [name, readSpan(name, info, size)] as const);
  spans.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let position = size;
  for (const [name, { begin, end }] of spans) {
    if (begin !== position)
      throw broken(
        `"${head(name)}" begins at byte ${begin}, where ${position} follows: tensors must neither overlap nor leave gaps`,
      );
    position = end;
  }
  if (position !== fileSize)
    throw broken(
      position > fileSize
        ? `its tensors need ${position} bytes and the file ends after ${fileSize}: it is cut off`
        : `its tensors end at byte ${position} and the file at ${fileSize}`,
    );
  return { entries: new Map(spans), metadata: metadata as Record<string, string> };
}

/**
 * A safetensors file: deterministic, and byte for byte what the Python library writes.
 *
 * @throws `format` when a name occurs twice or is the format's own `__metadata__`
 */
export function writeSafetensors(
  tensors: Iterable<readonly [string, Tensor]>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const chunks = safetensorsChunks(tensors, metadata);
  const bytes = new Uint8Array(chunks.reduce((total, chunk) => total + chunk.length, 0));
  let position = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, position);
    position += chunk.length;
  }
  return bytes;
}

/** The same file in pieces, header first; the rest are views of the tensors, so that nothing is held twice. */
export function safetensorsChunks(
  tensors: Iterable<readonly [string, Tensor]>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array[] {
  const ordered = [...tensors].sort(
    ([a, { dtype: x }], [b, { dtype: y }]) =>
      layoutOrder.indexOf(x) - layoutOrder.indexOf(y) || (a < b ? -1 : a > b ? 1 : 0),
  );
  const fields = metadata === undefined ? [] : [`"__metadata__":${JSON.stringify(metadata)}`];
  const seen = new Set(["__metadata__"]);
  let position = 0;
  for (const [name, tensor] of ordered) {
    if (seen.has(name))
      throw new CliptError(
        "format",
        `Two entries of a safetensors file cannot both be called "${head(name)}".`,
      );
    seen.add(name);
    const end = position + bytesOf(tensor).length;
    const info = { dtype: names[tensor.dtype], shape: tensor.shape, data_offsets: [position, end] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`);
    position = end;
  }
  const json = new TextEncoder().encode(`{${fields.join(",")}}`);
  const length = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  return [header, ...ordered.map(([, tensor]) => bytesOf(tensor))];
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (outline(text).values > mostValues) throw broken(`its header holds more than ${mostValues} values`);
    header = JSON.parse(text);
  } catch (cause) {
    throw cause instanceof CliptError ? cause : broken("its header is not JSON", cause);
  }
  if (!text.startsWith("{") || !isRecord(header)) throw broken("its header is not a JSON object");
  // JSON.parse keeps the last of two equal keys without a word; only counting tells.
  const kept = Object.values(header).reduce(
    (total: number, value) => total + 1 + (isRecord(value) ? Object.keys(value).length : 0),
    0,
  );
  const nested = Object.entries(header).find(
    ([, value]) => isRecord(value) && Object.values(value).some(isRecord),
  );
  if (nested !== undefined)
    throw broken(`"${head(nested[0])}" is described by more than type, shape and place`);
  if (countKeys(text) !== kept) throw broken("a name occurs twice in its header");
  return header;
}

/** Keys of all objects in a valid JSON text, repeated ones included. */
function countKeys(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === ":") count++;
    else if (text[i] === '"') for (i++; text[i] !== '"'; i++) if (text[i] === "\\") i++;
  }
  return count;
}

function readSpan(name: string, info: unknown, dataStart: number): TensorSpan {
  const at = `"${head(name)}"`;
  if (!isRecord(info)) throw broken(`${at} is not described by an object`);
  const { dtype: typeName, shape, data_offsets: offsets, ...rest } = info;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) throw broken(`${at} has an unknown field "${head(unknown)}"`);
  const dtype = typeof typeName === "string" ? dtypes.get(typeName) : undefined;
  if (dtype === undefined)
    throw broken(
      `${at} has ${typeof typeName === "string" ? `the type "${head(typeName)}"` : "a type that is not a text"}; ${[...dtypes.keys()].join(", ")} are read`,
    );
  if (!isSizes(shape)) throw broken(`${at} has a shape that is not a list of lengths`);
  if (!isSizes(offsets) || offsets.length !== 2)
    throw broken(`${at} has data_offsets that are not two places in the file`);
  const [begin = 0, end = 0] = offsets;
  const needed = byteLengthOf({ dtype, shape });
  if (end - begin !== needed)
    throw broken(`${at} spans bytes ${begin} to ${end}, and its type and shape fill ${needed}`);
  return { dtype, shape, begin: dataStart + begin, end: dataStart + end };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);

const broken = (why: string, cause?: unknown): CliptError =>
  new CliptError("format", `Not a safetensors file that can be read: ${why}.`, { cause });
