import { hashDistance } from "../../input/image/index.js";
import type { Fields, Item, Store } from "../../store/index.js";
import type { Context } from "../task.js";
import type { Collection } from "./collection.js";

/** Pictures that are the same one. */
export interface Copies {
  /** "exact": the files are equal. "same": other size, format or compression. */
  readonly kind: "exact" | "same";
  /** The largest picture first, then the oldest file. */
  readonly ids: readonly string[];
}

/** Bits in which fingerprints of copies may differ. */
const maxDistance = 6;
/** Pieces of a fingerprint: of two that differ in at most 6 bits, one of 7 pieces is equal. */
const pieces = maxDistance + 1;
/** Cosine below which equal fingerprints are a chance: flat skies, blank pages. Small and grey copies lie from 0.8 on. */
const minCosine = 0.75;

/**
 * Groups of copies in an index: equal files, and pictures whose perceptual fingerprints and vectors both agree. A picture is
 * in one group at most; a group is "exact" when all of its files are equal.
 */
export async function findCopies(
  { store, identity }: Collection,
  context: Pick<Context, "signal">,
): Promise<Copies[]> {
  const fields = new Map<string, Fields>();
  for await (const item of allItems(store, context)) fields.set(item.id, item.fields);
  const groups = new Groups([...fields.keys()]);
  const byHash = new Map<string, string>();
  for (const [id, { hash }] of fields) {
    if (typeof hash !== "string") continue;
    const first = byHash.get(hash);
    if (first === undefined) byHash.set(hash, id);
    else groups.join(first, id);
  }
  for (const [a, b] of await alike([...byHash.values()], fields, { store, identity })) groups.join(a, b);

  const text = (id: string, name: string): string => String(fields.get(id)?.[name] ?? "");
  const number = (id: string, name: string): number => Number(fields.get(id)?.[name] ?? 0);
  const area = (id: string): number => number(id, "width") * number(id, "height");
  return groups
    .several()
    .map((ids): Copies => ({
      kind: new Set(ids.map((id) => text(id, "hash"))).size === 1 ? "exact" : "same",
      ids: ids.sort(
        (a, b) => area(b) - area(a) || number(a, "modified") - number(b, "modified") || (a < b ? -1 : 1),
      ),
    }))
    .sort((a, b) => (a.ids[0]! < b.ids[0]! ? -1 : 1));
}

/** Every item of a store, in any order. */
export async function* allItems(store: Store, { signal }: Pick<Context, "signal">): AsyncGenerator<Item> {
  for await (const items of store.scan()) {
    signal.throwIfAborted();
    yield* items;
  }
}

/** Pairs of different files that show the same picture. */
async function alike(
  ids: readonly string[],
  fields: ReadonlyMap<string, Fields>,
  { store, identity }: Pick<Collection, "store" | "identity">,
): Promise<[string, string][]> {
  const hashOf = (id: string): string | undefined => {
    const phash = fields.get(id)?.["phash"];
    return typeof phash === "string" ? phash : undefined;
  };
  const candidates = new Map<string, [string, string]>();
  for (let piece = 0; piece < pieces; piece++) {
    const buckets = new Map<bigint, string[]>();
    for (const id of ids) {
      const hash = hashOf(id);
      if (hash === undefined) continue;
      const key = pieceOf(BigInt(`0x${hash}`), piece);
      const bucket = buckets.get(key);
      if (bucket === undefined) buckets.set(key, [id]);
      else bucket.push(id);
    }
    for (const bucket of buckets.values())
      for (const [i, a] of bucket.entries())
        for (const b of bucket.slice(i + 1))
          if (hashDistance(hashOf(a)!, hashOf(b)!) <= maxDistance)
            candidates.set(JSON.stringify([a, b]), [a, b]);
  }
  const wanted = [...new Set([...candidates.values()].flat())];
  const vectors = new Map<string, Float32Array>();
  for (const item of await store.get(wanted, identity)) keep(item, identity, vectors);
  return [...candidates.values()].filter(([a, b]) => {
    const [x, y] = [vectors.get(a), vectors.get(b)];
    return x !== undefined && y !== undefined && x.reduce((sum, v, i) => sum + v * y[i]!, 0) >= minCosine;
  });
}

function keep(item: Item | undefined, identity: string, vectors: Map<string, Float32Array>): void {
  const vector = item?.vectors?.[identity];
  if (item !== undefined && vector !== undefined) vectors.set(item.id, vector);
}

/** The piece's bits, 9 or 10 of the 64. */
function pieceOf(hash: bigint, piece: number): bigint {
  const [from, to] = [Math.floor((64 * piece) / pieces), Math.floor((64 * (piece + 1)) / pieces)];
  return (hash >> BigInt(from)) & ((1n << BigInt(to - from)) - 1n);
}

/** Disjoint sets of ids. */
class Groups {
  private readonly parent: Map<string, string>;

  constructor(ids: readonly string[]) {
    this.parent = new Map(ids.map((id) => [id, id]));
  }

  join(a: string, b: string): void {
    this.parent.set(this.root(a), this.root(b));
  }

  /** Those with more than one member. */
  several(): string[][] {
    const byRoot = new Map<string, string[]>();
    for (const id of this.parent.keys()) {
      const root = this.root(id);
      byRoot.set(root, [...(byRoot.get(root) ?? []), id]);
    }
    return [...byRoot.values()].filter(({ length }) => length > 1);
  }

  private root(id: string): string {
    let root = id;
    while (this.parent.get(root) !== root) {
      const above = this.parent.get(root)!;
      // Halves the way for the next one.
      this.parent.set(root, this.parent.get(above)!);
      root = above;
    }
    return root;
  }
}
