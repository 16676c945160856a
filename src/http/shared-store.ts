import type { Hit, Query, Store } from "../store/index.js";
import { Batches } from "./batches.js";

/** Queries in one pass. */
const most = 64;
/** Kinds of queries (filters, ranges) that are told apart at a time. */
const mostLines = 100;

/** A store that stays open when one of those who share it closes it; equal queries for different vectors run together. */
export function sharedStore(store: Store, batching: boolean): Store {
  const query = batching ? batchedQuery(store) : (given: Query) => store.query(given);
  return new Proxy(store, {
    get(target, name) {
      if (name === "close") return async () => {};
      if (name === "query") return query;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (value as () => unknown).bind(target) : value;
    },
  });
}

function batchedQuery(store: Store): Store["query"] {
  const lines = new Map<string, Batches<Float32Array, readonly Hit[]>>();
  return async ({ vector, ...query }: Query) => {
    const key = JSON.stringify(query);
    // Those under way go on without their place in the list.
    if (lines.size >= mostLines) lines.clear();
    const line = lines.get(key) ?? new Batches(most, (vectors) => store.queryMany(vectors, query));
    lines.set(key, line);
    return line.add(vector, {});
  };
}
