import { CliptError, messageOf } from "../../tensor/index.js";
import type { FieldType } from "../fields.js";
import type { Connection, Row, Sql } from "./connection.js";

/** A set of vectors: its table has the items' ids and one column of vectors. */
export interface SetTable {
  readonly name: string;
  readonly dim: number;
}

/** Vectors of half precision in pgvector's HNSW index may not be longer. */
export const longestIndexed = 4000;

/** Locks out other processes that would make the same tables. */
const lock = "SELECT pg_advisory_xact_lock(hashtext('clipt schema'))";

/** @throws `unsupported` where pgvector is not there */
export async function makeTables(connection: Connection): Promise<void> {
  await connection.transaction(async (sql) => {
    await sql.query(lock);
    try {
      await sql.query("CREATE EXTENSION IF NOT EXISTS vector");
    } catch (cause) {
      throw new CliptError(
        "unsupported",
        `PostgreSQL's extension pgvector is not there (${messageOf(cause)}). Install it on the server, or let its administrator run CREATE EXTENSION vector.`,
        { cause },
      );
    }
    await sql.query("CREATE SCHEMA IF NOT EXISTS clipt");
    await sql.query(
      `CREATE TABLE IF NOT EXISTS clipt.items (id text COLLATE "C" PRIMARY KEY, fields jsonb NOT NULL)`,
    );
    await sql.query(
      "CREATE TABLE IF NOT EXISTS clipt.documents (name text PRIMARY KEY, value jsonb NOT NULL)",
    );
    await sql.query("CREATE TABLE IF NOT EXISTS clipt.fields (name text PRIMARY KEY, type text NOT NULL)");
    await sql.query(
      "CREATE TABLE IF NOT EXISTS clipt.sets (identity text PRIMARY KEY, dim int NOT NULL, name serial NOT NULL)",
    );
    await sql.query("CREATE TABLE IF NOT EXISTS clipt.writes (place int PRIMARY KEY, count bigint NOT NULL)");
  });
}

export async function readFields(sql: Sql): Promise<Record<string, FieldType>> {
  const rows = await sql.query("SELECT name, type FROM clipt.fields ORDER BY name");
  return Object.fromEntries(rows.map(({ name, type }) => [name as string, type as FieldType]));
}

export async function addFields(sql: Sql, fields: Readonly<Record<string, FieldType>>): Promise<void> {
  for (const [name, type] of Object.entries(fields))
    await sql.query("INSERT INTO clipt.fields VALUES ($1, $2) ON CONFLICT DO NOTHING", [name, type]);
}

/** By identity. */
/** What a search has to know, at once: the sets by identity, the fields, and a document. */
export async function readCatalogue(
  sql: Sql,
  document: string,
): Promise<{ sets: Map<string, SetTable>; fields: Record<string, FieldType>; value: unknown }> {
  const [row] = await sql.query(
    `SELECT (SELECT jsonb_object_agg(name, type) FROM clipt.fields) AS fields,
      (SELECT jsonb_agg(sets ORDER BY name) FROM clipt.sets) AS sets,
      (SELECT value FROM clipt.documents WHERE name = $1) AS value`,
    [document],
  );
  const { fields, sets, value } = row!;
  return {
    sets: tablesOf((sets ?? []) as Row[]),
    fields: (fields ?? {}) as Record<string, FieldType>,
    value: value ?? undefined,
  };
}

export async function readSets(sql: Sql): Promise<Map<string, SetTable>> {
  return tablesOf(await sql.query("SELECT identity, dim, name FROM clipt.sets ORDER BY name"));
}

const tablesOf = (rows: readonly Row[]): Map<string, SetTable> =>
  new Map(
    rows.map(({ identity, dim, name }) => [
      identity as string,
      { name: `clipt.vectors_${Number(name)}`, dim: Number(dim) },
    ]),
  );

export async function addSet(sql: Sql, identity: string, dim: number): Promise<void> {
  await sql.query(lock);
  if ((await readSets(sql)).has(identity)) return;
  await sql.query("INSERT INTO clipt.sets (identity, dim) VALUES ($1, $2)", [identity, dim]);
  const table = (await readSets(sql)).get(identity)!;
  // Vectors of up to 2,000 numbers lie in their rows: beside them, as the server would have it, reading one takes three times as
  // long. Longer ones make the table seem small, and its index would be given one worker.
  await sql.query(
    `CREATE TABLE ${table.name} (id text COLLATE "C" PRIMARY KEY REFERENCES clipt.items ON DELETE CASCADE, vector vector(${dim}) NOT NULL) WITH (toast_tuple_target = 8160, parallel_workers = 8)`,
  );
}

export async function dropSet(sql: Sql, identity: string): Promise<void> {
  await sql.query(lock);
  const table = (await readSets(sql)).get(identity);
  if (table === undefined) return;
  await sql.query(`DROP TABLE ${table.name}`);
  await sql.query("DELETE FROM clipt.sets WHERE identity = $1", [identity]);
}

/** Writes are counted in so many places: two writers would wait for each other at one. */
const places = 64;
export const somePlace = (): number => Math.floor(Math.random() * places);

/** Counts a write, which this transaction does. */
export async function countWrite(sql: Sql, place: number): Promise<void> {
  await sql.query(
    "INSERT INTO clipt.writes AS known VALUES ($1, 1) ON CONFLICT (place) DO UPDATE SET count = known.count + 1",
    [place],
  );
}

export async function readWrites(sql: Sql): Promise<string> {
  const [row] = await sql.query("SELECT coalesce(sum(count), 0)::text AS writes FROM clipt.writes");
  return row!["writes"] as string;
}
