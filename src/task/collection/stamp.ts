import type { Collection } from "./collection.js";

/** Changes whenever pictures come, change or go: what was derived from the collection is stale then. */
export async function stampOf({ store, identity }: Pick<Collection, "store" | "identity">): Promise<string> {
  const count = (await store.sets()).find((set) => set.identity === identity)?.count ?? 0;
  if (count === 0) return "0";
  const [newest] = await store.list({ order: { field: "indexed", descending: true }, limit: 1 });
  return `${count} ${newest?.fields["indexed"]}`;
}
