import { Index, type Table, type VectorQuery } from "@lancedb/lancedb";
import type { FieldType } from "../fields.js";
import { vectorOf } from "./rows.js";
import { columnOf } from "./sql.js";

/** Below this, comparing all vectors takes a few milliseconds, and is exact. */
const worthVectorIndex = 5_000;
/** Below this, reading a whole column takes no longer than an index does. */
const worthFieldIndex = 10_000;
/** The engine joins and splits partitions towards this size when it takes in new rows. */
const partitionSize = 4096;
/** Growth or shrinkage that makes a new index: the old one's centres were chosen among other vectors. */
const renewAt = 2;
/** What comes later is a part of the index of its own; a search asks each of them. */
const mostParts = 8;
/** How many partitions a search reads: the first that finds nearly all of the true ten. */
const efforts = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024];
const wantedRecall = 0.98;
const sampleSize = 64;
/** For each result, so many that are nearest by four bits a number are compared exactly. */
export const candidates = 2;

/** How a set is searched; kept as a document. */
export interface Plan {
  /** RaBitQ: an eighth of the size, and so quick that twice as many partitions cost little. */
  readonly kind: "ivf-rq";
  /** Vectors that there were when the centres were chosen. */
  readonly trained: number;
  readonly partitions: number;
  readonly probes: number;
  readonly recall: number;
  readonly sample: number;
}

/** The name that the engine gives to a column's index. */
const nameOf = (column: string): string => `${column}_idx`;

/** @returns the rows outside of a column's index, and its parts; undefined when there is none */
export async function indexStats(
  items: Table,
  column: string,
): Promise<{ outside: number; parts: number } | undefined> {
  const stats = await items.indexStats(nameOf(column));
  return stats && { outside: stats.numUnindexedRows, parts: stats.numIndices ?? 1 };
}

/** Indexes for the ids and the fields, once there are enough rows. */
export async function indexFields(items: Table, fields: Readonly<Record<string, FieldType>>): Promise<void> {
  const rows = await items.countRows();
  if (rows < worthFieldIndex) return;
  const there = new Set((await items.listIndices()).flatMap(({ columns }) => columns));
  const wanted = Object.entries(fields).map(([name, type]) => ({ column: columnOf(name), type }));
  for (const { column, type } of [{ column: "id", type: "text" as FieldType }, ...wanted])
    if (!there.has(column))
      await items.createIndex(column, { config: type === "flag" ? Index.bitmap() : Index.btree() });
}

/** Whether comparing all of them is too slow. */
export const deservesIndex = (count: number): boolean => count >= worthVectorIndex;

/** Whether the index that is there was made for about as many vectors, and is still nearly in one part. */
export const stillServes = (plan: Plan, count: number, parts: number): boolean =>
  count < renewAt * plan.trained && renewAt * count > plan.trained && parts <= mostParts;

/** Makes or replaces the index of a set's column. */
export async function buildIndex(items: Table, column: string, count: number): Promise<Plan> {
  const partitions = Math.ceil(count / partitionSize);
  const config = Index.ivfRq({
    distanceType: "cosine",
    numBits: 4,
    numPartitions: partitions,
    maxIterations: 10,
  });
  await items.createIndex(column, { config, replace: true });
  return measured(items, column, count, { kind: "ivf-rq", trained: count, partitions });
}

/** Reads an index into memory; a search reads what it needs otherwise. */
export const warmIndex = (items: Table, column: string): Promise<void> =>
  items.prewarmIndex(nameOf(column)).catch(() => {});

/** Tells a search how to use the set's index. `share` of the items meet its condition; `wanted` results are asked for. */
export function useIndex(
  search: VectorQuery,
  plan: Pick<Plan, "partitions" | "probes">,
  wanted: number,
  share = 1,
): void {
  // Further neighbours lie in more partitions, and so do the nearest of few: as many of these are looked at as without a condition.
  const probes = (plan.probes * Math.max(1, wanted / 10) ** (1 / 6)) / share;
  search.nprobes(Math.min(plan.partitions, Math.ceil(probes))).refineFactor(candidates);
}

/**
 * Finds out how many partitions a search has to read, and how much it finds then.
 *
 * The sample are sums of two vectors of the set: like a text among pictures they lie where no vector does, and are found as badly
 * (docs/the-index.md); the set's own vectors would promise too much.
 */
export async function measured(
  items: Table,
  column: string,
  count: number,
  index: Pick<Plan, "kind" | "trained" | "partitions">,
): Promise<Plan> {
  const { kind, trained, partitions } = index;
  const sample = sumsOfTwo(await someVectors(items, column, count, 2 * sampleSize));
  const search = (vectors: readonly Float32Array[]): VectorQuery => {
    const query = items.query().nearestTo(vectors[0]!);
    for (const vector of vectors.slice(1)) query.addQueryVector(vector);
    return query.column(column).distanceType("cosine").select(["_distance"]).withRowId().limit(10);
  };
  const truth = await idsOf(search(sample).bypassVectorIndex(), sample.length);
  let [recall, probes] = [0, 0];
  for (const effort of efforts) {
    probes = Math.min(effort, partitions);
    const query = search(sample);
    useIndex(query, { partitions, probes }, 10);
    const found = await idsOf(query, sample.length);
    const hits = truth.flatMap((ids, i) => [...ids].filter((id) => found[i]!.has(id))).length;
    recall = hits / truth.reduce((sum, ids) => sum + ids.size, 0);
    if (recall >= wantedRecall || probes === partitions) break;
  }
  return { kind, trained, partitions, probes, recall, sample: sample.length };
}

async function idsOf(search: VectorQuery, queries: number): Promise<Set<unknown>[]> {
  const ids = Array.from({ length: queries }, () => new Set<unknown>());
  const rows = (await search.toArray()) as { query_index?: number; _rowid: unknown }[];
  for (const row of rows) ids[row.query_index ?? 0]!.add(row._rowid);
  return ids;
}

/** About as many vectors as are wanted, from places spread over the whole table, in which `count` rows have one. */
export async function someVectors(
  items: Table,
  column: string,
  count: number,
  wanted: number,
): Promise<Float32Array[]> {
  const rows = await items.countRows();
  const taken = Math.min(rows, Math.ceil(wanted * Math.min(50, rows / count)));
  const offsets = Array.from({ length: taken }, (_, i) => Math.floor((i * rows) / taken));
  const found = (await items.takeOffsets(offsets).select([column]).toArray()) as Record<string, unknown>[];
  return found.flatMap((row) => vectorOf(row[column]) ?? []);
}

/** One of the first half, one of the second: neighbours in the table are often alike. */
function sumsOfTwo(vectors: readonly Float32Array[]): Float32Array[] {
  const half = Math.floor(vectors.length / 2);
  return vectors.slice(0, half).map((vector, i) => vector.map((x, j) => x + vectors[half + i]![j]!));
}
