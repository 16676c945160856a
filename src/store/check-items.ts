import { CliptError } from "../tensor/index.js";
import { accepts, type FieldType, type FieldValue } from "./fields.js";
import { checkFilter } from "./filter.js";
import type { Item, Query } from "./store.js";

type KnownFields = Readonly<Record<string, FieldType>>;

/** One item for each id: of equal ids the last counts, with the vectors of all. */
export function lastOfEach(items: readonly Item[]): Item[] {
  const byId = new Map<string, Item>();
  for (const item of items) {
    const earlier = byId.get(item.id);
    byId.set(
      item.id,
      earlier === undefined ? item : { ...item, vectors: { ...earlier.vectors, ...item.vectors } },
    );
  }
  return [...byId.values()];
}

/**
 * Checks items against sets and fields.
 *
 * @param dims dim of each set, by identity
 * @returns    the fields that become known by the items
 * @throws     `input`
 */
export function checkItems(
  items: readonly Item[],
  dims: ReadonlyMap<string, number>,
  known: KnownFields,
): Record<string, FieldType> {
  const fresh: Record<string, FieldType> = {};
  for (const { id, fields, vectors } of items) {
    if (id === "") throw new CliptError("input", "An item has an empty id.");
    for (const [name, value] of Object.entries(fields)) {
      const type = typeOf(name, known) ?? typeOf(name, fresh) ?? (fresh[checkName(name)] = guess(value));
      if (!accepts(type, value))
        throw new CliptError(
          "input",
          `${id}: the field "${name}" is a ${type}; ${JSON.stringify(value)} does not fit.`,
        );
    }
    for (const [identity, vector] of Object.entries(vectors ?? {})) {
      requireLength(vector, identity, dims, id);
      requireDirection(vector, id);
    }
  }
  return fresh;
}

/**
 * The fields that a declaration adds.
 *
 * @throws `input` for a known field of another type and for a name that cannot be one
 */
export function checkDeclared(fields: KnownFields, known: KnownFields): Record<string, FieldType> {
  const fresh: Record<string, FieldType> = {};
  for (const [name, type] of Object.entries(fields)) {
    const before = typeOf(name, known);
    if (before === undefined) fresh[checkName(name)] = type;
    else if (before !== type)
      throw new CliptError("input", `The field "${name}" is a ${before} already, not a ${type}.`);
  }
  return fresh;
}

/** @throws `input` */
export function checkQuery({ identity, vector }: Query, dims: ReadonlyMap<string, number>): void {
  requireLength(vector, identity, dims, "The query");
  requireDirection(vector, "The query");
}

/** @throws `input` */
export function checkSet(
  { identity, dim }: { readonly identity: string; readonly dim: number },
  dims: ReadonlyMap<string, number>,
): void {
  const before = dims.get(identity);
  if (before !== undefined && before !== dim)
    throw new CliptError(
      "input",
      `The set ${short(identity)} holds vectors of ${before} numbers, not ${dim}.`,
    );
}

/** @throws `input` for a set that is not there */
export function requireSet(identity: string, dims: ReadonlyMap<string, number>): number {
  const dim = dims.get(identity);
  if (dim !== undefined) return dim;
  const there = [...dims.keys()].map(short).join(", ") || "none";
  throw new CliptError(
    "input",
    `There are no vectors of the model ${short(identity)} (there: ${there}). Vectors of different models cannot be compared; index again with this model.`,
  );
}

/** @throws `input` for a field that is not known */
export function requireFields(names: readonly string[] = [], known: KnownFields): void {
  for (const field of names) checkFilter({ kind: "exists", field }, known);
}

function requireLength(
  vector: Float32Array,
  identity: string,
  dims: ReadonlyMap<string, number>,
  where: string,
): void {
  const dim = requireSet(identity, dims);
  if (vector.length !== dim)
    throw new CliptError("input", `${where}: ${vector.length} numbers arrived; the set has ${dim}.`);
}

function requireDirection(vector: Float32Array, where: string): void {
  let sum = 0;
  for (const x of vector) sum += x * x;
  if (!(sum > 0 && sum < Infinity))
    throw new CliptError("input", `${where}: the vector is zero or not finite.`);
}

const typeOf = (name: string, fields: KnownFields): FieldType | undefined =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;

function checkName(name: string): string {
  if (/^[a-zA-Z][a-zA-Z0-9_]*$/.test(name)) return name;
  throw new CliptError(
    "input",
    `"${name}" cannot be the name of a field: a letter, then letters, digits and _.`,
  );
}

function guess(value: FieldValue): FieldType {
  if (typeof value === "string") return "text";
  return typeof value === "boolean" ? "flag" : "number";
}

const short = (identity: string): string => (identity.length > 16 ? `${identity.slice(0, 12)}…` : identity);
