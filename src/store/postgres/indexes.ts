import type { FieldType } from "../fields.js";
import type { Connection, Sql } from "./connection.js";
import { longestIndexed, type SetTable } from "./schema.js";
import { fieldExpression } from "./sql.js";

/** Below this, comparing all vectors is quick enough, and exact. */
const worthVectorIndex = 10_000;
const worthFieldIndex = 10_000;
/** How many candidates the search keeps: the first that finds nearly all of the true ten. */
const efforts = [40, 100, 200, 400, 1000];
const wantedRecall = 0.985;
const sampleSize = 50;

/** An index as it was measured; kept as a document. */
export interface Measured {
  readonly recall: number;
  readonly sample: number;
  readonly ef: number;
}

export async function hasIndex(sql: Sql, table: SetTable): Promise<boolean> {
  const rows = await sql.query("SELECT 1 FROM pg_indexes WHERE schemaname = 'clipt' AND indexname = $1", [
    indexName(table),
  ]);
  return rows.length > 0;
}

/** Indexes for the fields, once there are enough items. */
export async function indexFields(sql: Sql, fields: Readonly<Record<string, FieldType>>): Promise<void> {
  const [row] = await sql.query("SELECT count(*) AS n FROM clipt.items");
  if (Number(row?.["n"]) < worthFieldIndex) return;
  for (const [name, type] of Object.entries(fields))
    await sql.query(
      `CREATE INDEX IF NOT EXISTS "field_${name}" ON clipt.items (${fieldExpression(name, type)})`,
    );
}

/**
 * Makes a set's index when its size deserves it; the server keeps it up to date from then on.
 *
 * @returns how well it finds; undefined when every vector is compared
 */
export async function indexVectors(
  connection: Connection,
  table: SetTable,
  count: number,
): Promise<Measured | undefined> {
  if (count < worthVectorIndex || table.dim > longestIndexed) return undefined;
  if (!(await hasIndex(connection, table)))
    await connection.query(
      `CREATE INDEX CONCURRENTLY ${indexName(table)} ON ${table.name} USING hnsw (vector vector_cosine_ops) WITH (m = 16, ef_construction = 100)`,
    );
  return measure(connection, table);
}

const indexName = ({ name }: SetTable): string => `${name.replace("clipt.", "")}_hnsw`;

/** How a search is told whether to use the index, and with which effort. */
export async function prepareSearch(sql: Sql, ef: number | undefined): Promise<void> {
  if (ef === undefined) {
    await sql.query("SET LOCAL enable_indexscan = off");
    return;
  }
  await sql.query(`SET LOCAL hnsw.ef_search = ${Math.min(ef, 1000)}`);
  // With a filter, the search goes on until it has enough.
  await sql.query("SET LOCAL hnsw.iterative_scan = strict_order");
}

async function measure(connection: Connection, table: SetTable): Promise<Measured> {
  const sample = await connection.query(
    `SELECT vector::text AS vector FROM ${table.name} ORDER BY hashtext(id) LIMIT ${sampleSize}`,
  );
  const nearest = (vector: unknown, ef: number | undefined): Promise<string[]> =>
    connection.transaction(async (sql) => {
      await prepareSearch(sql, ef);
      const rows = await sql.query(`SELECT id FROM ${table.name} ORDER BY vector <=> $1::vector LIMIT 10`, [
        vector,
      ]);
      return rows.map(({ id }) => id as string);
    });
  const truth: string[][] = [];
  for (const { vector } of sample) truth.push(await nearest(vector, undefined));
  let [recall, effort] = [0, efforts[0]!];
  for (const ef of efforts) {
    let hits = 0;
    for (const [i, { vector }] of sample.entries()) {
      const found = new Set(await nearest(vector, ef));
      hits += (truth[i] ?? []).filter((id) => found.has(id)).length;
    }
    [recall, effort] = [hits / (10 * sample.length), ef];
    if (recall >= wantedRecall) break;
  }
  return { recall, sample: sample.length, ef: effort };
}
