import type { FieldType } from "../fields.js";
import type { Connection, Sql } from "./connection.js";
import { half, nearestSql, prepareSearch } from "./nearest.js";
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

/** Whether an index is there that was made to its end. */
export async function hasIndex(sql: Sql, table: SetTable): Promise<boolean> {
  const rows = await sql.query("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass($1) AND indisvalid", [
    `clipt.${indexName(table)}`,
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
  if (!(await hasIndex(connection, table))) {
    // The server may not have so much shared memory to give; slower, it always works.
    await connection
      .session(async (sql) => {
        await sql.query(`SET maintenance_work_mem = '${memoryMb(table.dim, count)}MB'`);
        await build(sql, table);
      })
      .catch(() => connection.session((sql) => build(sql, table)));
    // The index of clipt's first version: whole vectors, twice the size.
    await connection.query(`DROP INDEX IF EXISTS clipt.${plainName(table)}_hnsw`);
  }
  return measure(connection, table);
}

async function build(sql: Sql, table: SetTable): Promise<void> {
  await sql.query(`DROP INDEX IF EXISTS clipt.${indexName(table)}`);
  await sql.query(
    `CREATE INDEX CONCURRENTLY ${indexName(table)} ON ${table.name} USING hnsw ((${half(table)}) halfvec_cosine_ops) WITH (m = 16, ef_construction = 100)`,
  );
}

/** What the graph takes while it is made; beyond it, the server builds on disk, several times slower. */
const memoryMb = (dim: number, count: number): number =>
  Math.max(64, Math.min(2048, Math.ceil((1.3 * count * (2 * dim + 500)) / 2 ** 20)));

const plainName = ({ name }: SetTable): string => name.replace("clipt.", "");
const indexName = (table: SetTable): string => `${plainName(table)}_half`;
async function measure(connection: Connection, table: SetTable): Promise<Measured> {
  const sample = await connection.query(
    `SELECT vector::text AS vector FROM ${table.name} ORDER BY hashtext(id) LIMIT ${sampleSize}`,
  );
  const nearest = (vector: unknown, ef: number | undefined): Promise<string[]> =>
    connection.transaction(async (sql) => {
      if (ef !== undefined) await prepareSearch(sql, ef);
      const wanted = { table, columns: "id", condition: "true", k: 10, offset: 0 };
      const rows = await sql.query(nearestSql(wanted, ef === undefined), [vector]);
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
