import { memoryStore } from "./memory.js";
import type { Store } from "./store.js";

export interface ResidentOptions {
  /** Memory that the copy may take; a larger collection is asked where it is. */
  readonly bytes: number;
  /** How long nothing must have been written before a copy is made. */
  readonly restMs: number;
  /** How soon what others write is seen. */
  readonly noticeMs: number;
}

export const defaultResident: ResidentOptions = { bytes: 128 * 2 ** 20, restMs: 1000, noticeMs: 10 };

/** What an item takes besides its vector: measured with the fields of `clipt index`. */
const itemBytes = 1024;

/** Items of a set, as they were at one version of the store. */
interface Copy {
  readonly version: string;
  readonly identity: string;
  readonly store: Store;
}

/**
 * A store that answers from memory what is asked again and again: what is nearest to a vector, items by their ids, sets and
 * documents. A call looks first whether the store has another version by now: what is written through this one is seen at
 * once, what others write a moment later. While it is written, and where it is too large, the store itself is asked.
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

  let copy: Copy | undefined;
  let copying: Promise<void> | undefined;
  /** The version that was there at the last look, since when, and whether a copy of it was tried. */
  let seen = { version: "", since: -Infinity, tried: false };

  /** Whether so much is in the set that it stays where it is. */
  const isLarge = async (identity: string): Promise<boolean> => {
    const set = (await sets()).find((set) => set.identity === identity);
    return set === undefined || (await count()) * (4 * set.dim + itemBytes) > bytes;
  };
  const makeCopy = async (version: string, identity: string): Promise<void> => {
    // Two of them would take twice the memory.
    copy = undefined;
    if (await isLarge(identity)) return;
    const into = memoryStore();
    await into.declare(await store.fields());
    await into.addSet({ identity, dim: (await sets()).find((set) => set.identity === identity)!.dim });
    for await (const items of store.scan({ identity })) await into.upsert(items);
    if ((await store.version()) === version) copy = { version, identity, store: into };
  };
  /** Makes a copy when the store is at rest. One of another set stays: two models that take turns would copy all the time. */
  const copySoon = (now: string, identity: string): void => {
    if (seen.version !== now)
      seen = { version: now, since: seen.version === "" ? -Infinity : performance.now(), tried: false };
    if (seen.tried || copying !== undefined || performance.now() - seen.since < restMs) return;
    seen.tried = true;
    copying = makeCopy(now, identity)
      // Whatever it was, the store itself says it.
      .catch(() => {})
      .finally(() => {
        copying = undefined;
      });
  };
  /** Whom to ask: the copy, when it is of now. */
  const nearest = async (identity: string | undefined): Promise<Store> => {
    const now = await version();
    if (copy?.version !== now && identity !== undefined) {
      copySoon(now, identity);
      if (restMs === 0) await copying;
    }
    return copy?.version === now && (identity ?? copy.identity) === copy.identity ? copy.store : store;
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
    get: async (ids, identity) => (await nearest(identity)).get(ids, identity),
    query: async (query) => (await nearest(query.identity)).query(query),
    queryMany: async (vectors, query) => (await nearest(query.identity)).queryMany(vectors, query),
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
