import { broken, PickleGlobal, PickleObject } from "./pickle.js";

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

/** Deeper nesting than any checkpoint has. */
const depthLimit = 256;

/** Plain data from what the pickle machine built, tensors loaded. Shared parts stay shared. */
export function mapPlain<T extends object, U>(root: unknown, load: (tensor: T) => U): Plain<U> {
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
      return new Module(value.className, walk(value.attributes) as ReadonlyMap<string, Plain<U>>);
    if (isTensor<T>(value)) return load(value);
    throw broken("it holds a storage outside of a tensor");
  };
  return walk(root);
}

export const isTensor = <T>(value: unknown): value is T =>
  typeof value === "object" && value !== null && "dtype" in value;
