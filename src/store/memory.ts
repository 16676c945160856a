import { CliptError } from "../tensor/index.js";
import {
  checkDeclared,
  checkItems,
  checkQuery,
  checkSet,
  lastOfEach,
  requireFields,
  requireSet,
} from "./check-items.js";
import type { Fields, FieldType, FieldValue } from "./fields.js";
import { checkFilter, matches } from "./filter.js";
import { oneByOne } from "./one-by-one.js";
import type { Hit, Item, Listing, Store } from "./store.js";

interface Entry {
  readonly fields: Fields;
  readonly vectors: ReadonlyMap<string, Float32Array>;
}

/** A store that lives as long as the process; every vector is compared. */
export function memoryStore(): Store {
  const entries = new Map<string, Entry>();
  const dims = new Map<string, number>();
  const known: Record<string, FieldType> = {};
  const documents = new Map<string, string>();
  let [closed, writes] = [false, 0];

  /** A method that answers only while the store is open. */
  const open =
    <A extends unknown[], R>(body: (...args: A) => R) =>
    async (...args: A): Promise<R> => {
      if (closed) throw new CliptError("usage", "The store is closed.");
      return body(...args);
    };
  const write = <A extends unknown[], R>(body: (...args: A) => R) =>
    open((...args: A): R => {
      writes++;
      return body(...args);
    });
  const chosen = (where: Listing["where"]): [string, Entry][] => {
    if (where === undefined) return [...entries];
    checkFilter(where, known);
    return [...entries].filter(([, { fields }]) => matches(where, fields));
  };

  const query: Store["query"] = open((query) => {
    checkQuery(query, dims);
    const { identity, k, offset = 0, where, vectors: wanted = false } = query;
    const vector = unit(query.vector);
    const hits = chosen(where).flatMap(([id, { fields, vectors }]): Hit[] => {
      const row = vectors.get(identity);
      if (row === undefined) return [];
      return [{ id, score: dot(vector, row), fields, ...(wanted && { vector: row }) }];
    });
    return hits.sort((a, b) => b.score - a.score || byText(a.id, b.id)).slice(offset, offset + k);
  });

  return {
    url: "memory:",
    version: open(() => String(writes)),
    fields: open(() => ({ ...known })),
    declare: write((fields) => void Object.assign(known, checkDeclared(fields, known))),

    sets: open(() =>
      Array.from(dims, ([identity, dim]) => ({
        identity,
        dim,
        count: [...entries.values()].filter(({ vectors }) => vectors.has(identity)).length,
      })),
    ),
    addSet: write((set) => {
      checkSet(set, dims);
      dims.set(set.identity, set.dim);
    }),
    dropSet: write((identity) => {
      dims.delete(identity);
      for (const [id, { fields, vectors }] of entries)
        entries.set(id, { fields, vectors: new Map([...vectors].filter(([name]) => name !== identity)) });
    }),

    upsert: write((items) => {
      const each = lastOfEach(items);
      Object.assign(known, checkItems(each, dims, known));
      for (const { id, fields, vectors = {} } of each) {
        const fresh = Object.entries(vectors).map(([set, vector]) => [set, unit(vector)] as const);
        entries.set(id, {
          fields: { ...fields },
          vectors: new Map([...(entries.get(id)?.vectors ?? []), ...fresh]),
        });
      }
    }),
    get: open((ids, identity) => {
      if (identity !== undefined) requireSet(identity, dims);
      return ids.map((id) => {
        const entry = entries.get(id);
        return entry && itemOf(id, entry, identity);
      });
    }),
    query,
    queryMany: oneByOne(query),
    list: open(({ where, order, limit, offset = 0, lacking, identity }) => {
      if (order !== undefined) checkFilter({ kind: "exists", field: order.field }, known);
      for (const set of [lacking, identity]) if (set !== undefined) requireSet(set, dims);
      const turn = order?.descending === true ? -1 : 1;
      return chosen(where)
        .filter(([, { vectors }]) => lacking === undefined || !vectors.has(lacking))
        .sort(
          ([a, x], [b, y]) =>
            (order && byValue(x.fields[order.field], y.fields[order.field], turn)) || byText(a, b),
        )
        .slice(offset, offset + limit)
        .map(([id, entry]) => itemOf(id, entry, identity));
    }),
    async *scan({ where, lacking, identity, fields } = {}) {
      yield await open(() => {
        for (const set of [lacking, identity]) if (set !== undefined) requireSet(set, dims);
        requireFields(fields, known);
        return chosen(where)
          .filter(([, { vectors }]) => lacking === undefined || !vectors.has(lacking))
          .map(([id, entry]) => itemOf(id, { ...entry, fields: only(entry.fields, fields) }, identity));
      })();
    },
    count: open((where) => chosen(where).length),
    delete: write((ids) => ids.forEach((id) => entries.delete(id))),

    readDocument: open((name) => {
      const text = documents.get(name);
      return text === undefined ? undefined : (JSON.parse(text) as unknown);
    }),
    writeDocument: write((name, value) => {
      if (value === undefined) documents.delete(name);
      else documents.set(name, JSON.stringify(value));
    }),
    compact: open(() => {}),
    close: async () => {
      closed = true;
    },
  };
}

const only = (fields: Fields, names: readonly string[] | undefined): Fields =>
  names === undefined
    ? fields
    : Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name)));

function itemOf(id: string, { fields, vectors }: Entry, identity: string | undefined): Item {
  const vector = identity === undefined ? undefined : vectors.get(identity);
  return vector === undefined || identity === undefined
    ? { id, fields }
    : { id, fields, vectors: { [identity]: vector } };
}

/** A copy of length 1. */
function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector));
  return vector.map((x) => x / length);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Absent values come last, in both directions. */
function byValue(a: FieldValue | undefined, b: FieldValue | undefined, turn: number): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return a < b ? -turn : a > b ? turn : 0;
}
