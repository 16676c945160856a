import { byteSize, type DType } from "../../tensor/index.js";
import { head } from "../bytes.js";
import { type Storage, type Stored, storedView } from "../stored.js";
import { broken, PickleGlobal, PickleObject, type PickleWorld } from "./pickle.js";

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

/** PyTorch's name of a storage of these numbers. */
export const storageNames: ReadonlyMap<DType, string> = new Map(
  Object.entries(storageTypes).map(([name, dtype]) => [dtype, name]),
);

/** Where the storage with this key lies, which must hold `count` numbers of `width` bytes. */
export type PlaceStorage = (key: string, count: number, width: number) => Storage;

/** A storage with the type that its class tells; none for `UntypedStorage`, whose tensors tell theirs. */
class TypedStorage {
  constructor(
    readonly type: DType | undefined,
    readonly storage: Storage,
  ) {}
}

/** The few classes and functions of Python that a file of weights refers to. */
export function torchWorld(place: PlaceStorage): PickleWorld {
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
