import type { Table, VectorQuery } from "@lancedb/lancedb";
import { candidates, useIndex, type Plan } from "./indexes.js";
import { plain, type FoundRow } from "./rows.js";

/** The nearest rows that are wanted for each vector, and which of their columns. */
export interface Asked {
  readonly vectors: readonly Float32Array[];
  readonly column: string;
  readonly columns: readonly string[];
  readonly wanted: number;
}

/** Rows that are compared exactly before a condition is asked about; for more, asking first is quicker. */
const mostBefore = 128;

/** Compares every vector. */
export const nearestOfAll = (items: Table, asked: Asked, condition?: string): Promise<FoundRow[]> =>
  rowsOf(searchFor(items, asked, asked.wanted, condition).bypassVectorIndex());

export function nearestByIndex(items: Table, asked: Asked, plan: Plan): Promise<FoundRow[]> {
  const search = searchFor(items, asked, asked.wanted);
  useIndex(search, plan, asked.wanted);
  return rowsOf(search);
}

/**
 * Through the index, where a condition must be met. What many rows meet is asked about the nearest only, which are twice as many as
 * `share`, that of all rows which meet it, lets expect; the index would ask it about each row of the groups that it reads, and does so where
 * these were too few.
 */
export async function nearestMeeting(
  items: Table,
  asked: Asked,
  plan: Plan,
  condition: string,
  share: number,
): Promise<FoundRow[]> {
  const rows: FoundRow[] = [];
  let rest = [...asked.vectors.keys()];
  const before = Math.ceil((candidates * asked.wanted) / share);
  if (before <= mostBefore) {
    const search = searchFor(items, asked, before, condition).postfilter();
    useIndex(search, plan, before);
    const found = await rowsOf(search.refineFactor(1));
    rest = rest.filter((i) => {
      const mine = found.filter(({ query_index = 0 }) => query_index === i);
      const few = mine.length < asked.wanted;
      if (!few) rows.push(...mine);
      return few;
    });
  }
  if (rest.length === 0) return rows;
  const vectors = rest.map((i) => asked.vectors[i]!);
  const search = searchFor(items, { ...asked, vectors }, asked.wanted, condition);
  useIndex(search, plan, asked.wanted, share);
  for (const row of await rowsOf(search)) rows.push({ ...row, query_index: rest[row.query_index ?? 0]! });
  return rows;
}

function searchFor(
  items: Table,
  { vectors, column, columns }: Asked,
  limit: number,
  condition?: string,
): VectorQuery {
  const search = items.query().nearestTo(vectors[0]!);
  for (const vector of vectors.slice(1)) search.addQueryVector(vector);
  search
    .column(column)
    .distanceType("cosine")
    .select([...columns, "_distance"])
    .limit(limit);
  return condition === undefined ? search : search.where(condition);
}

const rowsOf = async (search: VectorQuery): Promise<FoundRow[]> =>
  ((await search.toArray()) as object[]).map((row) => plain(row) as FoundRow);
