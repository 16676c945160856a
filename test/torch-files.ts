import { crc32, deflateRawSync } from "node:zlib";

// Builds PyTorch files, honest and hostile ones, out of the opcodes of Python's pickle and the records of zip.

type Part = string | Buffer;
const bytes = (part: Part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part);
const join = (parts: readonly Part[]) => Buffer.concat(parts.map(bytes));
const u16 = (...values: number[]) => Buffer.from(Uint16Array.from(values).buffer);
const u32 = (...values: number[]) => Buffer.from(Uint32Array.from(values).buffer);
const u64 = (...values: number[]) => Buffer.from(BigUint64Array.from(values, BigInt).buffer);

/** A whole pickle of protocol 2. */
export const pickle = (...parts: Part[]) => join(["\x80\x02", ...parts, "."]);
export const text = (value: string) => join(["X", u32(Buffer.byteLength(value)), Buffer.from(value)]);
export const int = (value: number) => join(["J", Buffer.from(Int32Array.of(value).buffer)]);
export const global = (module: string, name: string) => `c${module}\n${name}\n`;
export const tuple = (...items: Part[]) => join(["(", ...items, "t"]);
export const list = (...items: Part[]) => join(["](", ...items, "e"]);
export const dict = (...entries: (readonly [Part, Part])[]) => join(["}(", ...entries.flat(), "u"]);
export const call = (callee: Part, ...args: Part[]) => join([callee, tuple(...args), "R"]);

export const orderedDict = (...entries: (readonly [Part, Part])[]) =>
  join([call(global("collections", "OrderedDict")), "(", ...entries.flat(), "u"]);

export const storage = (type: string, key: string, count: number) =>
  join([tuple(text("storage"), global("torch", type), text(key), text("cpu"), int(count)), "Q"]);

/** torch._utils._rebuild_tensor_v2 */
export const strided = (from: Part, offset: number, shape: readonly number[], strides: readonly number[]) =>
  call(
    global("torch._utils", "_rebuild_tensor_v2"),
    from,
    int(offset),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    "\x89",
    orderedDict(),
  );

/** An object of a TorchScript class with these attributes. */
export const scriptModule = (name: string, ...entries: (readonly [Part, Part])[]) =>
  join([global("__torch__", name), ")\x81", dict(...entries), "b"]);

export interface ZipFile {
  readonly name: string;
  readonly data: Buffer;
  readonly deflate?: boolean;
  /** `data` is deflated already, from that many bytes. */
  readonly packedFrom?: number;
  /** What the records claim instead of the truth. */
  readonly claim?: { readonly size?: number; readonly at?: number; readonly localName?: string };
}

/** A zip archive; `wide` writes the 64-bit records, as PyTorch does. */
export function zip(files: readonly ZipFile[], wide = false): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let position = 0;
  for (const { name, data, packedFrom, deflate = packedFrom !== undefined, claim = {} } of files) {
    const packed = deflate && packedFrom === undefined ? deflateRawSync(data) : data;
    const size = claim.size ?? packedFrom ?? data.length;
    const packedSize = deflate ? packed.length : size;
    const common = (wideSizes: boolean) =>
      join([
        u16(20, 0, deflate ? 8 : 0, 0, 0),
        u32(crc32(data)),
        wideSizes ? u32(0xffffffff, 0xffffffff) : u32(packedSize, size),
        u16(Buffer.byteLength(name)),
      ]);
    const localName = claim.localName ?? name;
    // PyTorch pads each header so that the numbers behind it are aligned.
    const padding = wide ? 4 + (64 - ((position + 34 + localName.length) % 64)) : 0;
    const fill = wide ? join(["FB", u16(padding - 4), Buffer.alloc(padding - 4)]) : Buffer.alloc(0);
    const record = join(["PK\x03\x04", common(false), u16(padding), Buffer.from(localName), fill, packed]);
    const extra = wide ? join([u16(1, 24), u64(size, packedSize, claim.at ?? position)]) : Buffer.alloc(0);
    central.push(
      join([
        "PK\x01\x02",
        u16(20),
        common(wide),
        u16(extra.length, 0, 0, 0),
        u32(0, wide ? 0xffffffff : (claim.at ?? position)),
        Buffer.from(name),
        extra,
      ]),
    );
    local.push(record);
    position += record.length;
  }
  const directory = join(central);
  const end64 = join([
    "PK\x06\x06",
    u64(44),
    u16(45, 45),
    u32(0, 0),
    u64(files.length, files.length, directory.length, position),
  ]);
  const locator = join(["PK\x06\x07", u32(0), u64(position + directory.length), u32(1)]);
  const counts = wide ? u16(0, 0, 0xffff, 0xffff) : u16(0, 0, files.length, files.length);
  const places = wide ? u32(0xffffffff, 0xffffffff) : u32(directory.length, position);
  return join([...local, directory, ...(wide ? [end64, locator] : []), "PK\x05\x06", counts, places, u16(0)]);
}

/** A file as `torch.save` writes it. */
export const torchFile = (data: Buffer, storages: Readonly<Record<string, Buffer>> = {}): Buffer =>
  zip(
    [
      { name: "archive/data.pkl", data },
      { name: "archive/byteorder", data: Buffer.from("little") },
      ...Object.entries(storages).map(([key, numbers]) => ({ name: `archive/data/${key}`, data: numbers })),
    ],
    true,
  );

/** A file as `torch.save` wrote it before version 1.6. */
export const legacyTorchFile = (
  data: Buffer,
  storages: Readonly<Record<string, { count: number; numbers: Buffer }>>,
) =>
  join([
    Buffer.from("80028a0a6cfc9c46f9206aa850192e", "hex"),
    pickle(int(1001)),
    pickle(dict([text("little_endian"), "\x88"])),
    data,
    pickle(list(...Object.keys(storages).map(text))),
    ...Object.values(storages).flatMap(({ count, numbers }) => [u64(count), numbers]),
  ]);

export const floats = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer);

/** A NumPy file of version 1. */
export function npy(descr: string, shape: readonly number[], data: Buffer, columnMajor = false): Buffer {
  const list = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const header = `{'descr': '${descr}', 'fortran_order': ${columnMajor ? "True" : "False"}, 'shape': (${list}), }`;
  const padded = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + "\n";
  return join(["\x93NUMPY\x01\x00", u16(padded.length), padded, data]);
}
