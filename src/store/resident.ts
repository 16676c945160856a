import { Copies } from "./copies.js";
import type { Filter } from "./filter.js";
import type { Store } from "./store.js";

export interface ResidentOptions {
  /** Memory that copies may take; a larger collection is asked where it is, but for what a condition selects. */
  readonly bytes: number;
  /** How long nothing must have been written before a copy is made. */
  readonly restMs: number;
  /** How soon what others write is seen. */
  readonly noticeMs: number;
}

export const defaultResident: ResidentOptions = { bytes: 128 * 2 ** 20, restMs: 1000, noticeMs: 10 };

/**
 * A store that answers from memory what is asked again and again: what is nearest to a vector, items by their ids, sets and
 * documents. A call looks first whether the store has another version by now: what is written through this one is seen at
 * once, what others write a moment later. While it is written, and where it is too large, the store itself is asked; of a large one,
 * the items that meet a condition are held when it comes again.
 */
export function residentStore(
  store: Store,
  { bytes, restMs, noticeMs }: ResidentOptions = defaultResident,
): Store {
  let asked: { readonly version: Promise<string>; readonly at: number } | undefined;
  const version = (): Promise<string> => {
    const now = performance.now();
    if (asked === undefined || now - asked.at >= noticeMs) {
      const fresh = { version: store.version(), at: now };
      asked = fresh;
      fresh.version.catch(() => {
        if (asked === fresh) asked = undefined;
      });
    }
    return asked.version;
  };
  const written =
    <A extends unknown[], R>(write: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      try {
        return await write(...args);
      } finally {
        // Who asks from now on sees it.
        asked = undefined;
      }
    };

  let known = { version: "", values: new Map<string, Promise<unknown>>() };
  const remembered = async <T>(name: string, read: () => Promise<T>): Promise<T> => {
    const now = await version();
    if (known.version !== now) known = { version: now, values: new Map() };
    const { values } = known;
    const there = values.get(name) as Promise<T> | undefined;
    if (there !== undefined) return there;
    const value = read();
    values.set(name, value);
    value.catch(() => values.delete(name));
    return value;
  };
  const sets = () => remembered("sets", () => store.sets());
  const fields = () => remembered("fields", () => store.fields());
  const count = () => remembered("count", () => store.count());

  const copies = new Copies(store, bytes, restMs);
  /** Whom to ask for the nearest, and with which condition. */
  const nearest = async <Q extends { readonly identity: string; readonly where?: Filter }>(
    query: Q,
  ): Promise<[Store, Q]> => {
    const now = await version();
    const { where, ...rest } = query;
    const whole = await copies.of(now, query.identity);
    if (whole !== undefined || where === undefined) return [whole ?? store, query];
    const part = await copies.of(now, query.identity, where);
    return part === undefined ? [store, query] : [part, rest as Q];
  };

  return {
    url: store.url,
    version,
    fields,
    declare: written((fields) => store.declare(fields)),
    sets,
    addSet: written((set) => store.addSet(set)),
    dropSet: written((identity) => store.dropSet(identity)),
    upsert: written((items) => store.upsert(items)),
    get: async (ids, identity) => {
      const now = await version();
      const copy = identity === undefined ? copies.whole(now) : await copies.of(now, identity);
      return (copy ?? store).get(ids, identity);
    },
    query: async (query) => {
      const [from, rest] = await nearest(query);
      return from.query(rest);
    },
    queryMany: async (vectors, query) => {
      const [from, rest] = await nearest(query);
      return from.queryMany(vectors, rest);
    },
    list: (listing) => store.list(listing),
    scan: (scan) => store.scan(scan),
    count: (where) => (where === undefined ? count() : store.count(where)),
    delete: written((ids) => store.delete(ids)),
    readDocument: (name) => remembered(`document ${name}`, () => store.readDocument(name)),
    writeDocument: written((name, value) => store.writeDocument(name, value)),
    compact: written((progress) => store.compact(progress)),
    close: () => store.close(),
  };
}
