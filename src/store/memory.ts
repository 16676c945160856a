import { setImmediate as others } from "node:timers/promises";
import { bestOf, holdRows, type HeldRows } from "../score/index.js";
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
import type { Hit, Item, Listing, Store } from "./store.js";

interface Entry {
  readonly fields: Fields;
  readonly vectors: ReadonlyMap<string, Float32Array>;
}

/** A set's vectors where they are compared quickly, by id. */
interface Packed {
  readonly ids: readonly string[];
  readonly fields: readonly Fields[];
  readonly rows: HeldRows;
}

/** Products between two looks at what else is to be done: some milliseconds. */
const productsAtOnce = 1e8;

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
    async (...args: A): Promise<Awaited<R>> => {
      if (closed) throw new CliptError("usage", "The store is closed.");
      return await body(...args);
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

  /** Until the next write. */
  const packed = new Map<string, Packed>();
  const pack = (identity: string): Packed => {
    const known = packed.get(identity);
    if (known !== undefined) return known;
    const chosen = [...entries].filter(([, { vectors }]) => vectors.has(identity));
    chosen.sort(([a], [b]) => byText(a, b));
    const rows = holdRows(chosen.length, dims.get(identity)!);
    for (const [i, [id, { fields, vectors }]] of chosen.entries()) {
      const row = rows.row(i);
      row.set(vectors.get(identity)!);
      entries.set(id, { fields, vectors: new Map(vectors).set(identity, row) });
    }
    const result = { ids: chosen.map(([id]) => id), fields: chosen.map(([, { fields }]) => fields), rows };
    packed.set(identity, result);
    return result;
  };

  const queryMany: Store["queryMany"] = open(async (vectors, query) => {
    for (const vector of vectors) checkQuery({ ...query, vector }, dims);
    if (vectors.length === 0) return [];
    const { identity, k, offset = 0, where, vectors: wanted = false } = query;
    if (where !== undefined) checkFilter(where, known);
    const { ids, fields, rows } = pack(identity);
    const left = where && fields.map((each) => matches(where, each));
    const best = vectors.map(() => bestOf(offset + k));
    const units = vectors.map(unit);
    const step = Math.ceil(productsAtOnce / (units.length * units[0]!.length));
    for (let start = 0; start < ids.length; start += step) {
      if (start > 0) await others();
      const offer = (vector: number, first: number, scores: Float32Array): void => {
        const list = best[vector]!;
        for (let i = 0; i < scores.length; i++)
          if (left === undefined || left[first + i]!) list.offer(first + i, scores[i]!);
      };
      rows.compare(units, offer, start, Math.min(ids.length, start + step));
    }
    const dim = units[0]!.length;
    return best.map((list) => {
      const hits = list.hits().slice(offset);
      // One piece of memory for all: many small ones keep the collector busy.
      const copies = new Float32Array(wanted ? hits.length * dim : 0);
      return hits.map(({ index, score }, i): Hit => {
        const hit = { id: ids[index]!, score, fields: fields[index]! };
        if (!wanted) return hit;
        const vector = copies.subarray(i * dim, (i + 1) * dim);
        vector.set(rows.row(index));
        return { ...hit, vector };
      });
    });
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
      packed.clear();
      dims.delete(identity);
      for (const [id, { fields, vectors }] of entries)
        entries.set(id, { fields, vectors: new Map([...vectors].filter(([name]) => name !== identity)) });
    }),

    upsert: write((items) => {
      packed.clear();
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
    query: async ({ vector, ...query }) => (await queryMany([vector], query))[0]!,
    queryMany,
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
    delete: write((ids) => {
      packed.clear();
      for (const id of ids) entries.delete(id);
    }),

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
    : { id, fields, vectors: { [identity]: vector.slice() } };
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
