import type { Context } from "../task.js";
import type { Collection } from "./collection.js";
import { allItems, type Copies } from "./copies.js";

/** Pictures that resemble each other. */
export interface Lookalikes {
  /** The one that all others resemble first, the most alike next. */
  readonly ids: readonly string[];
}

/** Cosine from which pictures count as lookalikes. Measured: docs/the-index.md. */
export const lookalikeCosine = 0.9;
/** A picture's neighbours that are looked at. */
const neighbours = 24;
/** Pictures whose vectors are read at once, and those that are searched with in one pass. */
const batchSize = 256;
const searched = 32;

/**
 * Groups of pictures whose vectors are near each other, by a search in the index for each picture. Every member of a group
 * resembles its first one: there are no chains from one picture to a wholly other one.
 *
 * @param ids   pictures that are compared; of true copies, one
 * @param above least cosine
 */
export async function findLookalikes(
  { store, identity }: Collection,
  ids: readonly string[],
  above: number,
  { signal, emit }: Pick<Context, "signal" | "emit">,
): Promise<Lookalikes[]> {
  const meant = new Set(ids);
  const near = new Map<string, Map<string, number>>();
  for (let start = 0; start < ids.length; start += batchSize) {
    const items = await store.get(ids.slice(start, start + batchSize), identity);
    const batch = items.flatMap((item) => {
      const vector = item?.vectors?.[identity];
      return item === undefined || vector === undefined ? [] : [[item.id, vector] as const];
    });
    for (let from = 0; from < batch.length; from += searched) {
      signal.throwIfAborted();
      const some = batch.slice(from, from + searched);
      const vectors = some.map(([, vector]) => vector);
      const found = await store.queryMany(vectors, { identity, k: neighbours + 1 });
      for (const [i, [id]] of some.entries())
        for (const hit of found[i]!)
          if (hit.id !== id && hit.score >= above && meant.has(hit.id)) link(near, id, hit.id, hit.score);
    }
    emit({
      kind: "progress",
      stage: "comparing pictures",
      done: Math.min(start + batchSize, ids.length),
      total: ids.length,
    });
  }
  return stars(near);
}

/** Lookalikes among all pictures of an index; of copies, the first one stands for all. */
export async function lookalikesBeside(
  copies: readonly Copies[],
  collection: Collection,
  above: number,
  context: Pick<Context, "signal" | "emit">,
): Promise<{ kind: "lookalike"; ids: readonly string[] }[]> {
  const others = new Set(copies.flatMap(({ ids }) => ids.slice(1)));
  const ids: string[] = [];
  for await (const { id } of allItems(collection.store, context)) if (!others.has(id)) ids.push(id);
  const groups = await findLookalikes(collection, ids, above, context);
  return groups.map(({ ids }) => ({ kind: "lookalike", ids }));
}

function link(near: Map<string, Map<string, number>>, a: string, b: string, score: number): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const)
    near.set(from, (near.get(from) ?? new Map<string, number>()).set(to, score));
}

/** The picture with the most neighbours takes them as its group; then the one with the most of the others, and so on. */
function stars(near: ReadonlyMap<string, ReadonlyMap<string, number>>): Lookalikes[] {
  const taken = new Set<string>();
  const groups: Lookalikes[] = [];
  const byDegree = [...near].sort(([a, x], [b, y]) => y.size - x.size || (a < b ? -1 : 1));
  for (const [center, around] of byDegree) {
    if (taken.has(center)) continue;
    const members = [...around].filter(([id]) => !taken.has(id));
    if (members.length === 0) continue;
    members.sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
    const ids = [center, ...members.map(([id]) => id)];
    for (const id of ids) taken.add(id);
    groups.push({ ids });
  }
  return groups;
}
