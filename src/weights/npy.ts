import { constants, inflateRawSync } from "node:zlib";
import { CliptError, type DType } from "../tensor/index.js";
import { byteLengthOf, head } from "./bytes.js";
import { readPart, type Source } from "./source.js";
import { decodeStored, type Stored, storedView } from "./stored.js";
import { readZip, unpackEntry, type ZipEntry } from "./zip.js";

const types: Readonly<Record<string, DType>> = {
  f8: "float64",
  f4: "float32",
  f2: "float16",
  i8: "int64",
  i4: "int32",
  i2: "int16",
  i1: "int8",
  u8: "uint64",
  u4: "uint32",
  u2: "uint16",
  u1: "uint8",
  b1: "bool",
};
const headLimit = 65_536;

/**
 * The array in a NumPy file.
 *
 * @throws `format` when the file is damaged, `unsupported` for big-endian numbers and types without a number
 * @source NumPy, "The .npy format" (NEP 1)
 */
export function openNpy(source: Source): Stored {
  const stored = readHeader(source.read(0, Math.min(source.size, headLimit)));
  if (stored.end !== source.size)
    throw broken(
      `its numbers end at byte ${stored.end} and the file at ${source.size}: it is cut off or damaged`,
    );
  return stored;
}

/** The arrays of an `.npz` file, a zip archive of `.npy` files, by name; packed ones are unpacked when read. */
export function openNpz(source: Source): Map<string, Stored> {
  const arrays = new Map<string, Stored>();
  for (const [file, entry] of readZip(source))
    if (file.endsWith(".npy")) arrays.set(file.slice(0, -".npy".length), openMember(source, file, entry));
  return arrays;
}

function openMember(source: Source, name: string, entry: ZipEntry): Stored {
  const start = readPart(
    source,
    entry.begin,
    Math.min(entry.end, entry.begin + headLimit),
    `"${head(name)}"`,
  );
  const stored = readHeader(entry.stored ? start : inflateHead(start, name));
  if (stored.end !== entry.size)
    throw broken(`"${head(name)}" has ${entry.size} bytes instead of ${stored.end}`);
  // Not mapped where they lie, even when they are not packed: their sum is checked first.
  return {
    dtype: stored.dtype,
    shape: stored.shape,
    begin: entry.begin,
    end: entry.end,
    decode: (packed) => decodeStored(stored, unpackEntry(packed, name, entry).subarray(stored.begin)),
  };
}

function inflateHead(packed: Uint8Array, name: string): Uint8Array {
  try {
    // No file grows more than a thousandfold in one step, so a part of the packed bytes bounds the result.
    return inflateRawSync(packed.subarray(0, 4096), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (cause) {
    throw new CliptError("format", `"${head(name)}" in the archive does not unpack: it is damaged.`, {
      cause,
    });
  }
}

function readHeader(bytes: Uint8Array): Stored {
  if (bytes.length < 12 || String.fromCharCode(...bytes.subarray(0, 6)) !== "\u0093NUMPY")
    throw broken("it does not begin like one");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = view.getUint8(6);
  if (version < 1 || version > 3)
    throw new CliptError("unsupported", `NumPy files of version ${version} are not read.`);
  const start = version === 1 ? 10 : 12;
  const begin = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (begin > bytes.length) throw broken("its header is cut off or longer than any");
  const text = new TextDecoder().decode(bytes.subarray(start, begin));
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const list = /'shape':\s*\(([\d,\s]*)\)/.exec(text)?.[1];
  if (descr === undefined || order === undefined || list === undefined)
    throw broken(`its header is ${head(JSON.stringify(text))}`);
  const dtype = types[descr.slice(1)];
  if (dtype === undefined || descr.startsWith(">"))
    throw new CliptError(
      "unsupported",
      `A NumPy array of type ${head(descr)} is not read; little-endian numbers are.`,
    );
  const shape = list.split(",").flatMap((length) => (length.trim() === "" ? [] : [Number(length)]));
  const size = byteLengthOf({ dtype, shape });
  return storedView({ begin, bytes: size }, dtype, 0, shape, stridesFor(shape, order === "True"));
}

function stridesFor(shape: readonly number[], columnMajor: boolean): number[] {
  const strides = shape.map(() => 1);
  const axes = shape.map((_, axis) => axis);
  if (!columnMajor) axes.reverse();
  let step = 1;
  for (const axis of axes) {
    strides[axis] = step;
    step *= shape[axis] ?? 1;
  }
  return strides;
}

const broken = (why: string): CliptError =>
  new CliptError("format", `Not a NumPy file that can be read: ${why}.`);
