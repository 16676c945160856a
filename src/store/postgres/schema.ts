import { CliptError, messageOf } from "../../tensor/index.js";
import type { FieldType } from "../fields.js";
import type { Connection, Sql } from "./connection.js";

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
export async function readSets(sql: Sql): Promise<Map<string, SetTable>> {
  const rows = await sql.query("SELECT identity, dim, name FROM clipt.sets ORDER BY name");
  return new Map(
    rows.map(({ identity, dim, name }) => [
      identity as string,
      { name: `clipt.vectors_${Number(name)}`, dim: Number(dim) },
    ]),
  );
}

export async function addSet(sql: Sql, identity: string, dim: number): Promise<void> {
  await sql.query(lock);
  if ((await readSets(sql)).has(identity)) return;
  await sql.query("INSERT INTO clipt.sets (identity, dim) VALUES ($1, $2)", [identity, dim]);
  const table = (await readSets(sql)).get(identity)!;
  // The server sees a small table, because vectors lie beside it, and would give one worker to its index.
  await sql.query(
    `CREATE TABLE ${table.name} (id text COLLATE "C" PRIMARY KEY REFERENCES clipt.items ON DELETE CASCADE, vector vector(${dim}) NOT NULL) WITH (parallel_workers = 8)`,
  );
}

export async function dropSet(sql: Sql, identity: string): Promise<void> {
  await sql.query(lock);
  const table = (await readSets(sql)).get(identity);
  if (table === undefined) return;
  await sql.query(`DROP TABLE ${table.name}`);
  await sql.query("DELETE FROM clipt.sets WHERE identity = $1", [identity]);
}
