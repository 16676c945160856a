import { dirname, sep } from "node:path";
import { parseFilter, type Filter, type Item } from "../../store/index.js";
import type { Collection } from "./collection.js";

export interface BrowseOptions {
  readonly k: number;
  readonly offset: number;
  /** As `parseFilter` reads it. */
  readonly where?: string | undefined;
  readonly sort: "newest" | "oldest";
}

export interface Browsed {
  readonly results: readonly Item[];
  /** Pictures that the condition lets through. */
  readonly total: number;
}

/**
 * Pictures of an index by date, without a query: first those that say when they were taken, then the others by their file's date.
 *
 * @throws `input` for a filter that cannot be read
 */
export async function browse(
  { store }: Pick<Collection, "store">,
  { k, offset, where, sort }: BrowseOptions,
): Promise<Browsed> {
  const filter = where === undefined ? [] : [parseFilter(where, await store.fields())];
  const dated: Filter = { kind: "and", of: [...filter, { kind: "exists", field: "taken" }] };
  const undated: Filter = {
    kind: "and",
    of: [...filter, { kind: "not", of: { kind: "exists", field: "taken" } }],
  };
  const [first, second] = await Promise.all([store.count(dated), store.count(undated)]);
  const results: Item[] = [];
  for (const [where, field, from, count] of [
    [dated, "taken", 0, first],
    [undated, "modified", first, second],
  ] as const) {
    const skip = Math.max(0, offset - from);
    const limit = Math.min(k - results.length, count - skip);
    if (limit <= 0) continue;
    const order = { field, descending: sort === "newest" };
    results.push(...(await store.list({ where, order, limit, offset: skip })));
  }
  return { results, total: first + second };
}

/** A value that pictures have, and how many of them. */
export interface Facet {
  readonly value: string;
  readonly count: number;
}

export type Facets = Readonly<Record<"camera" | "format" | "folder", readonly Facet[]>>;

const pageSize = 10_000;
/** Values of one kind: nobody reads more. */
const most = 100;

/** What pictures of an index can be told apart by, the most frequent first. A folder ends with its separator. */
export async function readFacets({ store }: Pick<Collection, "store">): Promise<Facets> {
  const counts = {
    camera: new Map<string, number>(),
    format: new Map<string, number>(),
    folder: new Map<string, number>(),
  };
  const add = (kind: keyof typeof counts, value: unknown): void => {
    if (typeof value === "string") counts[kind].set(value, (counts[kind].get(value) ?? 0) + 1);
  };
  for (let offset = 0; ; offset += pageSize) {
    const page = await store.list({ limit: pageSize, offset });
    for (const { fields } of page) {
      add("camera", fields["camera"]);
      add("format", fields["format"]);
      if (typeof fields["path"] === "string") add("folder", dirname(fields["path"]) + sep);
    }
    if (page.length < pageSize) break;
  }
  const ordered = (of: ReadonlyMap<string, number>): Facet[] =>
    [...of]
      .map(([value, count]) => ({ value, count }))
      .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
      .slice(0, most);
  return { camera: ordered(counts.camera), format: ordered(counts.format), folder: ordered(counts.folder) };
}
