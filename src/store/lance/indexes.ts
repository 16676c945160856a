import { Index, type Table } from "@lancedb/lancedb";
import type { FieldType } from "../fields.js";
import { vectorOf } from "./rows.js";
import { columnOf, quoted } from "./sql.js";

/** Below this, comparing all vectors takes a few milliseconds, and is exact. */
const worthVectorIndex = 10_000;
/** Below this, reading a whole column takes no longer than an index does. */
const worthFieldIndex = 10_000;
/** Vectors outside the index, as a share of all, that make a new one. */
const renewAt = 0.2;
/** How many candidates the search keeps: the first that finds nearly all of the true ten. */
const efforts = [64, 128, 256, 512];
const wantedRecall = 0.985;
const sampleSize = 100;

/** An index as it was measured; kept as a document. */
export interface Measured {
  readonly recall: number;
  readonly sample: number;
  readonly ef: number;
}

/** The name that the engine gives to a column's index. */
const nameOf = (column: string): string => `${column}_idx`;

/** @returns rows in and outside of the column's index; undefined when there is none */
export async function indexStats(
  items: Table,
  column: string,
): Promise<{ inside: number; outside: number } | undefined> {
  const stats = await items.indexStats(nameOf(column));
  return stats && { inside: stats.numIndexedRows, outside: stats.numUnindexedRows };
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

/**
 * Makes or renews a set's index when its size deserves it.
 *
 * @returns how well it finds; undefined when every vector is compared, "kept" when the one that is there still does
 */
export async function indexVectors(
  items: Table,
  column: string,
  count: number,
): Promise<Measured | "kept" | undefined> {
  if (count < worthVectorIndex) return undefined;
  const stats = await indexStats(items, column);
  if (stats !== undefined && stats.outside <= renewAt * stats.inside) return "kept";
  await items.createIndex(column, {
    config: Index.hnswSq({
      distanceType: "cosine",
      numPartitions: Math.max(1, Math.round(count / 1_000_000)),
      m: 16,
      efConstruction: 100,
    }),
    replace: true,
  });
  return measure(items, column, count);
}

/** Share of the true ten nearest of a sample's vectors that a search finds. */
async function measure(items: Table, column: string, count: number): Promise<Measured> {
  const rows = (await items
    .query()
    .where(`${quoted(column)} IS NOT NULL`)
    .select([column])
    .limit(sampleSize)
    .offset(Math.max(0, Math.floor((count - sampleSize) / 2)))
    .toArray()) as Record<string, unknown>[];
  const sample = rows.flatMap((row) => vectorOf(row[column]) ?? []);
  const nearest = async (vector: Float32Array, ef: number | undefined): Promise<string[]> => {
    const search = items
      .query()
      .nearestTo(vector)
      .column(column)
      .distanceType("cosine")
      .select(["id", "_distance"])
      .limit(10);
    const found = await (
      ef === undefined ? search.bypassVectorIndex() : search.ef(ef).refineFactor(2)
    ).toArray();
    return (found as { id: string }[]).map(({ id }) => id);
  };
  const truth: string[][] = [];
  for (const vector of sample) truth.push(await nearest(vector, undefined));
  let [recall, effort] = [0, efforts[0]!];
  for (const ef of efforts) {
    let hits = 0;
    for (const [i, vector] of sample.entries()) {
      const found = new Set(await nearest(vector, ef));
      hits += (truth[i] ?? []).filter((id) => found.has(id)).length;
    }
    [recall, effort] = [hits / (10 * sample.length), ef];
    if (recall >= wantedRecall) break;
  }
  return { recall, sample: sample.length, ef: effort };
}
