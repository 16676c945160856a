import { byteSize, CliptError, type DType, type Tensor } from "../tensor/index.js";
import { head } from "./bytes.js";
import { PickleGlobal, PickleObject, type PickleWorld, unpickle } from "./pickle.js";
import { bytesSource, readPart, type Source } from "./source.js";
import { decodeStored, type Storage, type Stored, storedView } from "./stored.js";
import { readZip } from "./zip.js";

/** What a PyTorch file holds: plain data, with `T` where a tensor is. Classes appear as their names. */
export type Plain<T> =
  | T
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Plain<T>[]
  | Map<string | number | bigint | boolean | null, Plain<T>>
  | Module<T>;

/** A module of a TorchScript archive: its tensors, its modules, and flags among them. */
export class Module<T> {
  constructor(
    readonly className: string,
    readonly attributes: ReadonlyMap<string, Plain<T>>,
  ) {}
}

const storageTypes: Readonly<Record<string, DType>> = {
  DoubleStorage: "float64",
  FloatStorage: "float32",
  HalfStorage: "float16",
  BFloat16Storage: "bfloat16",
  LongStorage: "int64",
  IntStorage: "int32",
  ShortStorage: "int16",
  CharStorage: "int8",
  ByteStorage: "uint8",
  BoolStorage: "bool",
};
const scalarTypes: ReadonlySet<string> = new Set<DType>([
  ...Object.values(storageTypes),
  "uint16",
  "uint32",
  "uint64",
]);
/** Size of all copied tensors of a file, in sizes of the file; tied weights need two. */
const copyLimit = 4;
/** Deeper nesting than any checkpoint has. */
const depthLimit = 256;
/** More names than any checkpoint has; modules that share modules could name exponentially many. */
const nameLimit = 100_000;
/** The pickles at the start of a file from before PyTorch 1.6; large models have some 100 KB. */
const legacyHeadLimit = 64 * 2 ** 20;
const legacyMagic = Uint8Array.of(
  0x80,
  2,
  0x8a,
  10,
  0x6c,
  0xfc,
  0x9c,
  0x46,
  0xf9,
  0x20,
  0x6a,
  0xa8,
  0x50,
  0x19,
  0x2e,
);

/**
 * A PyTorch file (`torch.save` of any version, TorchScript archive) as plain data. Nothing in it is executed:
 * a file that asks for more than tensors and containers is refused by the name of what it asks for.
 *
 * @returns tensors that are views of `bytes` where they are dense there
 * @throws  `format` when the file is damaged or hostile, `unsupported` for kinds of tensors that clipt has no use for
 */
export function readPyTorch(bytes: Uint8Array): { root: Plain<Tensor> } {
  // Strided and unaligned tensors are copies; many views of one storage could otherwise fill the memory.
  let budget = copyLimit * bytes.length;
  const load = (stored: Stored): Tensor => {
    const tensor = decodeStored(stored, bytes.subarray(stored.begin, stored.end));
    if (tensor.data.buffer !== bytes.buffer) budget -= tensor.data.byteLength;
    if (budget < 0) throw broken(`its tensors repeat its numbers more than ${copyLimit} times`);
    return tensor;
  };
  return { root: mapPlain(openPyTorch(bytesSource(bytes)), load) };
}

/** The same file with its tensors left where they are. */
export function openPyTorch(source: Source): Plain<Stored> {
  return isLegacy(source) ? openLegacy(source) : openArchive(source);
}

/** Whether this is a file from before PyTorch 1.6: pickles and raw storages one after the other. */
export const isLegacy = (source: Source): boolean => {
  const start = source.read(0, Math.min(source.size, legacyMagic.length));
  return legacyMagic.every((byte, i) => start[i] === byte);
};

/**
 * The state dict of a PyTorch file: the one under `state_dict` or `model` in a training checkpoint, the tensors
 * of the modules by dotted path in a TorchScript archive. Leaves out what is no tensor, and the `module.`
 * (DistributedDataParallel) and `_orig_mod.` (torch.compile) in front of all names.
 *
 * @throws `format` when there is none, or several
 */
export function stateDict<T extends { readonly dtype: DType }>(root: Plain<T>): Map<string, T> {
  const found = root instanceof Module ? moduleTensors(root) : (named(root) ?? only(root));
  if (found === undefined || found.size === 0)
    throw new CliptError("format", "The PyTorch file holds no state dict: no dictionary of tensors by name.");
  return ["module.", "_orig_mod."].reduce(
    (dict, prefix) =>
      [...dict.keys()].every((name) => name.startsWith(prefix))
        ? new Map([...dict].map(([name, value]) => [name.slice(prefix.length), value]))
        : dict,
    found,
  );
}

/** The dictionary under a name that training programs give it. */
function named<T extends object>(root: Plain<T>): Map<string, T> | undefined {
  if (!(root instanceof Map)) return undefined;
  for (const key of ["state_dict", "model_state_dict", "model"]) {
    const tensors = tensorsOf(root.get(key));
    if (tensors !== undefined) return tensors;
  }
  return undefined;
}

/** The root when it holds tensors, else the only dictionary in it that does. */
function only<T extends object>(root: Plain<T>): Map<string, T> | undefined {
  const own = tensorsOf(root);
  if (own !== undefined || !(root instanceof Map)) return own;
  const candidates = [...root].flatMap(([key, value]) => {
    const tensors = tensorsOf(value);
    return tensors === undefined ? [] : [{ key, tensors }];
  });
  if (candidates.length > 1)
    throw broken(
      `it holds several state dicts (${candidates.map(({ key }) => head(String(key))).join(", ")})`,
    );
  return candidates[0]?.tensors;
}

function tensorsOf<T extends object>(value: Plain<T> | undefined): Map<string, T> | undefined {
  if (!(value instanceof Map)) return undefined;
  const tensors = [...value].flatMap(([key, item]) =>
    typeof key === "string" && isTensor<T>(item) ? [[key, item] as const] : [],
  );
  return tensors.length === 0 ? undefined : new Map(tensors);
}

function moduleTensors<T extends object>(root: Module<T>): Map<string, T> {
  const result = new Map<string, T>();
  let visited = 0;
  const walk = (module: Module<T>, prefix: string): void => {
    for (const [name, value] of module.attributes) {
      if (++visited > nameLimit) throw broken(`its modules name more than ${nameLimit} things`);
      if (value instanceof Module) walk(value, `${prefix}${name}.`);
      else if (isTensor<T>(value)) result.set(prefix + name, value);
    }
  };
  walk(root, "");
  return result;
}

const isTensor = <T>(value: unknown): value is T =>
  typeof value === "object" && value !== null && "dtype" in value;

/** Plain data from what the pickle machine built, tensors loaded. Shared parts stay shared. */
function mapPlain<T extends object, U>(root: unknown, load: (tensor: T) => U): Plain<U> {
  const done = new Map<object, Plain<U>>();
  const open = new Set<object>();
  const walk = (value: unknown): Plain<U> => {
    if (value instanceof PickleGlobal) return value.name;
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value as Plain<U>;
    const known = done.get(value);
    if (known !== undefined) return known;
    if (open.has(value)) throw broken("it holds a container that contains itself");
    if (open.size >= depthLimit) throw broken(`its containers are nested more than ${depthLimit} deep`);
    open.add(value);
    const result = convert(value);
    open.delete(value);
    done.set(value, result);
    return result;
  };
  const entries = (map: ReadonlyMap<unknown, unknown>) =>
    new Map([...map].map(([key, item]) => [key, walk(item)]));
  const convert = (value: object): Plain<U> => {
    if (Array.isArray(value)) return value.map(walk);
    if (value instanceof Map) return entries(value) as Plain<U>;
    if (value instanceof PickleObject || value instanceof Module)
      return new Module(value.className, entries(value.attributes) as ReadonlyMap<string, Plain<U>>);
    if (isTensor<T>(value)) return load(value);
    throw broken("it holds a storage outside of a tensor");
  };
  return walk(root);
}

/** A zip archive: one folder with `data.pkl` and the storages `data/0`, `data/1` … */
function openArchive(source: Source): Plain<Stored> {
  const entries = readZip(source);
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1)
    throw broken(`the archive has ${pickles.length} files FOLDER/data.pkl instead of one`);
  const folder = pickle.slice(0, -"data.pkl".length);
  const read = (name: string): Uint8Array => {
    const { begin, end } = storedEntry(name);
    return source.read(begin, end);
  };
  const storedEntry = (name: string) => {
    const entry = entries.get(name);
    if (entry === undefined) throw broken(`"${head(name)}" is missing in the archive`);
    if (!entry.stored) throw broken(`"${head(name)}" is compressed, which PyTorch does not do`);
    return entry;
  };
  const order = entries.has(`${folder}byteorder`)
    ? new TextDecoder().decode(read(`${folder}byteorder`))
    : "little";
  if (order !== "little")
    throw new CliptError(
      "unsupported",
      `The PyTorch file was saved in ${head(order)}-endian order; only little is read.`,
    );
  const place: PlaceStorage = (key, count, width) => {
    const { begin, end } = storedEntry(`${folder}data/${key}`);
    const bytes = count * width;
    if (end - begin < bytes)
      throw broken(`the storage ${head(key)} needs ${bytes} bytes and has ${end - begin}`);
    return { begin, bytes };
  };
  return mapPlain(unpickle(read(pickle), torchWorld(place)).value, (stored: Stored) => stored);
}

/**
 * A file from before PyTorch 1.6: magic number, version, system, object and storage keys as five pickles, then
 * each storage behind its count of numbers. Where a storage lies shows only after the object has been read,
 * so the object is read twice.
 */
function openLegacy(source: Source): Plain<Stored> {
  const bytes = source.read(0, Math.min(source.size, legacyHeadLimit));
  const next = (start: number, place: PlaceStorage) => unpickle(bytes, torchWorld(place), start);
  const none: PlaceStorage = () => {
    throw broken("it has a storage where none belongs");
  };
  const version = next(legacyMagic.length, none);
  const system = next(version.end, none);
  if (version.value !== 1001 || !(system.value instanceof Map) || system.value.get("little_endian") !== true)
    throw new CliptError(
      "unsupported",
      "Only version 1001 of the old PyTorch format, little-endian, is read.",
    );
  const expected = new Map<string, { count: number; width: number }>();
  const object = next(system.end, (key, count, width) => {
    expected.set(key, { count, width });
    return { begin: 0, bytes: count * width };
  });
  const keys = next(object.end, none);
  if (!Array.isArray(keys.value)) throw broken("its list of storages is none");
  const storages = new Map<string, Storage>();
  let position = keys.end;
  for (const key of keys.value as unknown[]) {
    const storage = typeof key === "string" ? expected.get(key) : undefined;
    if (typeof key !== "string" || storage === undefined || storages.has(key))
      throw broken(`its list of storages holds ${head(String(key))} for no tensor or twice`);
    const what = `The storage ${head(key)}`;
    const start = readPart(source, position, position + 8, what);
    const count = new DataView(start.buffer, start.byteOffset).getBigInt64(0, true);
    if (count !== BigInt(storage.count))
      throw broken(`its storage ${head(key)} has ${count} numbers, not ${storage.count}`);
    const begin = position + 8;
    position = begin + storage.count * storage.width;
    if (position > source.size)
      throw broken(`its storage ${head(key)} reaches beyond its end: it is cut off`);
    storages.set(key, { begin, bytes: position - begin });
  }
  const place: PlaceStorage = (key, count, width) => {
    const storage = storages.get(key);
    if (storage?.bytes !== count * width) throw broken(`its storage ${head(key)} is missing`);
    return storage;
  };
  return mapPlain(next(system.end, place).value, (stored: Stored) => stored);
}

/** Where the storage with this key lies, which must hold `count` numbers of `width` bytes. */
type PlaceStorage = (key: string, count: number, width: number) => Storage;

/** A storage with the type that its class tells; none for `UntypedStorage`, whose tensors tell theirs. */
class TypedStorage {
  constructor(
    readonly type: DType | undefined,
    readonly storage: Storage,
  ) {}
}

/** The few classes and functions of Python that a file of weights refers to. */
function torchWorld(place: PlaceStorage): PickleWorld {
  const same = (args: readonly unknown[]) => args[0];
  const functions: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
    "collections.OrderedDict": (args) => {
      // Filled by the opcodes that follow; a copy of an argument could be repeated without end.
      if (args.length > 0) throw broken("it makes an OrderedDict out of another value");
      return new Map();
    },
    "torch._utils._rebuild_tensor": ([storage, offset, shape, strides]) =>
      rebuild(storage, offset, shape, strides),
    "torch._utils._rebuild_tensor_v2": ([storage, offset, shape, strides]) =>
      rebuild(storage, offset, shape, strides),
    "torch._utils._rebuild_tensor_v3": ([storage, offset, shape, strides, , , dtype]) =>
      rebuild(storage, offset, shape, strides, dtype),
    "torch._utils._rebuild_parameter": same,
    "torch.Size": same,
    "torch.device": same,
    "torch.jit._pickle.build_intlist": same,
    "torch.jit._pickle.build_boollist": same,
    "torch.jit._pickle.build_doublelist": same,
    "torch.jit._pickle.build_tensorlist": same,
    "torch.jit._pickle.restore_type_tag": same,
  };
  return {
    global(name) {
      const call = Object.hasOwn(functions, name) ? functions[name] : undefined;
      if (call !== undefined) return new PickleGlobal(name, call);
      if (name.startsWith("__torch__.")) return new PickleGlobal(name, () => new PickleObject(name));
      const [, torchName = ""] = /^torch\.(?:storage\.)?(\w+)$/.exec(name) ?? [];
      if (
        Object.hasOwn(storageTypes, torchName) ||
        torchName === "UntypedStorage" ||
        scalarTypes.has(torchName)
      )
        return new PickleGlobal(name);
      throw broken(`it asks for ${head(name)}, which a weights file has no use for`);
    },
    persistent(id) {
      const [kind, type, key, , count, view = null] = Array.isArray(id) ? (id as unknown[]) : [];
      const name = type instanceof PickleGlobal ? type.name.replace(/^torch\.(storage\.)?/, "") : "";
      const dtype = storageTypes[name];
      if (
        kind !== "storage" ||
        (dtype === undefined && name !== "UntypedStorage") ||
        typeof key !== "string" ||
        !isSize(count) ||
        view !== null
      )
        throw broken("it refers to something other than a storage");
      return new TypedStorage(dtype, place(key, count, dtype === undefined ? 1 : byteSize(dtype)));
    },
  };
}

function rebuild(
  storage: unknown,
  offset: unknown,
  shape: unknown,
  strides: unknown,
  type?: unknown,
): Stored {
  const dtype =
    type instanceof PickleGlobal
      ? (type.name.slice("torch.".length) as DType)
      : storage instanceof TypedStorage
        ? storage.type
        : undefined;
  if (
    !(storage instanceof TypedStorage) ||
    dtype === undefined ||
    !isSize(offset) ||
    !Array.isArray(shape) ||
    !Array.isArray(strides)
  )
    throw broken("it builds a tensor out of something other than a storage, an offset, a shape and strides");
  return storedView(storage.storage, dtype, offset, shape as number[], strides as number[]);
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const broken = (why: string): CliptError =>
  new CliptError("format", `Not a PyTorch file that can be read: ${why}.`);
