import type { Store } from "../../store/index.js";
import type { Collection } from "./collection.js";

/** What was worked out last, by the identity. */
const last = new WeakMap<Store, Map<string, { readonly version: string; readonly stamp: string }>>();

/** Changes whenever pictures come, change or go: what was derived from the collection is stale then. */
export async function stampOf({ store, identity }: Pick<Collection, "store" | "identity">): Promise<string> {
  const version = await store.version();
  const known = last.get(store) ?? new Map<string, { version: string; stamp: string }>();
  last.set(store, known);
  if (known.get(identity)?.version !== version)
    known.set(identity, { version, stamp: await workOut({ store, identity }) });
  return known.get(identity)!.stamp;
}

async function workOut({ store, identity }: Pick<Collection, "store" | "identity">): Promise<string> {
  const count = (await store.sets()).find((set) => set.identity === identity)?.count ?? 0;
  if (count === 0) return "0";
  const [newest] = await store.list({ order: { field: "indexed", descending: true }, limit: 1 });
  return `${count} ${newest?.fields["indexed"]}`;
}
