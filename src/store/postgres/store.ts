import { CliptError, messageOf } from "../../tensor/index.js";
import {
  checkDeclared,
  checkItems,
  checkQuery,
  checkSet,
  lastOfEach,
  requireFields,
  requireSet,
} from "../check-items.js";
import type { Fields, FieldType } from "../fields.js";
import { diskFull } from "../disk-full.js";
import { checkFilter } from "../filter.js";
import { oneByOne } from "../one-by-one.js";
import type { Hit, Item, Store } from "../store.js";
import { connectPostgres, withoutSecrets, type Connection, type Row, type Sql } from "./connection.js";
import { hasIndex, indexFields, indexVectors, type Measured } from "./indexes.js";
import { Searches } from "./nearest.js";
import {
  addFields,
  addSet,
  countWrite,
  dropSet,
  makeTables,
  readCatalogue,
  readFields,
  readSets,
  readWrites,
  somePlace,
  type SetTable,
} from "./schema.js";
import { fieldExpression, parseVector, toCondition, vectorText } from "./sql.js";

/**
 * A store in PostgreSQL with pgvector, in a schema of its own: a table of items, and one of vectors for each set. Several
 * machines may write at the same time.
 *
 * @throws `io` when the server does not answer, `unsupported` where pgvector is not there
 */
export async function postgresStore(url: string): Promise<Store> {
  return openPostgres(withoutSecrets(url), await connectPostgres(url));
}

/** The same over any connection, which it closes. */
export async function openPostgres(url: string, connection: Connection): Promise<Store> {
  try {
    await makeTables(connection);
  } catch (error) {
    await connection.close();
    throw explained(url, error);
  }
  let closed = false;
  /** The last write: those of one process happen in their order. */
  let writing: Promise<unknown> = Promise.resolve();
  const place = somePlace();
  const searches = new Searches();

  const run = async <T>(body: (sql: Sql) => Promise<T>): Promise<T> => {
    if (closed) throw new CliptError("usage", "The store is closed.");
    try {
      return await connection.transaction(body);
    } catch (error) {
      throw explained(url, error);
    }
  };
  const write = <T>(body: (sql: Sql) => Promise<T>): Promise<T> => {
    const result = writing.then(() =>
      run(async (sql) => {
        await countWrite(sql, place);
        return body(sql);
      }),
    );
    writing = result.catch(() => {});
    return result;
  };

  const query: Store["query"] = (query) =>
    run(async (sql) => {
      const { identity, vector, k, offset = 0, where, exact = false, vectors = false } = query;
      const { sets, fields, value } = await readCatalogue(sql, indexDocument(identity));
      checkQuery(query, dimsOf(sets));
      if (where !== undefined) checkFilter(where, fields);
      const values: unknown[] = [vectorText(vector)];
      const condition = toCondition(where, fields, values);
      const columns = `id, fields${vectors ? ", vector::text AS written" : ""}`;
      const wanted = { table: sets.get(identity)!, columns, condition, values, k, offset };
      const ef = exact ? undefined : (value as Measured | undefined)?.ef;
      const rows = await searches.nearest(sql, wanted, ef);
      return rows.map(({ id, fields, distance, written }): Hit => ({
        id: id as string,
        score: 1 - Number(distance),
        fields: fields as Fields,
        ...(vectors && { vector: parseVector(written) }),
      }));
    });

  return {
    url,
    version: () => run(readWrites),
    fields: () => run(readFields),
    declare: (fields) => write(async (sql) => addFields(sql, checkDeclared(fields, await readFields(sql)))),

    sets: () =>
      run(async (sql) => {
        const result = [];
        for (const [identity, table] of await readSets(sql))
          result.push(await describe(sql, identity, table));
        return result;
      }),
    addSet: (set) =>
      write(async (sql) => {
        checkSet(set, dimsOf(await readSets(sql)));
        await addSet(sql, set.identity, set.dim);
      }),
    dropSet: (identity) => write((sql) => dropSet(sql, identity)),

    upsert: (items) =>
      write(async (sql) => {
        const sets = await readSets(sql);
        // Two writers that lock the same rows in different orders would wait for each other.
        const each = lastOfEach(items).sort((a, b) => (a.id < b.id ? -1 : 1));
        await addFields(sql, checkItems(each, dimsOf(sets), await readFields(sql)));
        await sql.query(
          "INSERT INTO clipt.items SELECT id, fields FROM jsonb_to_recordset($1::jsonb) AS x(id text, fields jsonb) ON CONFLICT (id) DO UPDATE SET fields = excluded.fields",
          [JSON.stringify(each.map(({ id, fields }) => ({ id, fields })))],
        );
        for (const [identity, table] of sets) {
          const rows = each.flatMap(({ id, vectors }) => {
            const vector = vectors?.[identity];
            return vector === undefined ? [] : [{ id, vector: vectorText(vector) }];
          });
          if (rows.length > 0)
            await sql.query(
              `INSERT INTO ${table.name} SELECT id, l2_normalize(vector::vector) FROM jsonb_to_recordset($1::jsonb) AS x(id text, vector text) ON CONFLICT (id) DO UPDATE SET vector = excluded.vector`,
              [JSON.stringify(rows)],
            );
        }
      }),
    get: (ids, identity) =>
      run(async (sql) => {
        const from = await itemsWith(sql, identity);
        const rows = await sql.query(`SELECT * FROM ${from} WHERE id = ANY($1::text[])`, [ids]);
        const found = new Map(rows.map((row) => [row["id"], itemOf(row, identity)]));
        return ids.map((id) => found.get(id));
      }),
    query,
    queryMany: oneByOne(query),
    list: ({ where, order, limit, offset = 0, lacking, identity }) =>
      run(async (sql) => {
        const from = await itemsWith(sql, identity);
        const without = lacking === undefined ? "" : await lackingIn(sql, lacking);
        const values: unknown[] = [];
        const fields = await checked(sql, where);
        if (order !== undefined) checkFilter({ kind: "exists", field: order.field }, fields);
        const turn = order?.descending === true ? "DESC" : "ASC";
        const by =
          order === undefined
            ? ""
            : `${fieldExpression(order.field, fields[order.field]!)} ${turn} NULLS LAST, `;
        const rows = await sql.query(
          `SELECT * FROM ${from} WHERE ${toCondition(where, fields, values)}${without} ORDER BY ${by}id LIMIT ${limit} OFFSET ${offset}`,
          values,
        );
        return rows.map((row) => itemOf(row, identity));
      }),
    async *scan({ where, lacking, identity, fields: names } = {}) {
      for (let last = ""; ;) {
        const page = await run(async (sql) => {
          const from = await itemsWith(sql, identity);
          const without = lacking === undefined ? "" : await lackingIn(sql, lacking);
          const fields = await checked(sql, where);
          requireFields(names, fields);
          const values: unknown[] = [last];
          const chosen =
            names === undefined
              ? "fields"
              : `(SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(fields) WHERE key = ANY($${values.push([...names])}::text[])) AS fields`;
          const columns = ["id", chosen, ...(identity === undefined ? [] : ["vector"])].join(", ");
          return sql.query(
            `SELECT ${columns} FROM ${from} WHERE id > $1 AND ${toCondition(where, fields, values)}${without} ORDER BY id LIMIT ${scanPage}`,
            values,
          );
        });
        if (page.length > 0) yield page.map((row) => itemOf(row, identity));
        if (page.length < scanPage) return;
        last = page.at(-1)!["id"] as string;
      }
    },
    count: (where) =>
      run(async (sql) => {
        const values: unknown[] = [];
        const condition = toCondition(where, await checked(sql, where), values);
        return countOf(sql, `clipt.items WHERE ${condition}`, values);
      }),
    delete: (ids) =>
      write(
        async (sql) => void (await sql.query("DELETE FROM clipt.items WHERE id = ANY($1::text[])", [ids])),
      ),

    readDocument: (name) => run((sql) => readDocument(sql, name)),
    writeDocument: (name, value) => write((sql) => writeDocument(sql, name, value)),

    // An index is made beside searching and writing, and in no transaction.
    compact: async (progress = () => {}) => {
      const sets = [...(await run(readSets))];
      const total = sets.length + 2;
      progress("indexing fields", 0, total);
      await run(async (sql) => indexFields(sql, await readFields(sql)));
      for (const [i, [identity, table]] of sets.entries()) {
        progress("indexing vectors", i + 1, total);
        const count = await run((sql) => countOf(sql, table.name, []));
        const measured = await indexVectors(connection, table, count).catch((error: unknown) => {
          throw explained(url, error);
        });
        await write((sql) => writeDocument(sql, indexDocument(identity), measured));
      }
      progress("analysing", total - 1, total);
      await connection.query("ANALYZE");
      progress("analysing", total, total);
    },
    close: async () => {
      if (closed) return;
      closed = true;
      await writing;
      await connection.close();
    },
  };
}

/** Items that a scan reads at once. */
const scanPage = 5000;

const indexDocument = (identity: string): string => `.index/${identity}`;

const dimsOf = (sets: ReadonlyMap<string, SetTable>): Map<string, number> =>
  new Map(Array.from(sets, ([identity, { dim }]) => [identity, dim]));

/** The known fields, after the filter was held against them. */
async function checked(
  sql: Sql,
  where: Parameters<typeof checkFilter>[0] | undefined,
): Promise<Record<string, FieldType>> {
  const fields = await readFields(sql);
  if (where !== undefined) checkFilter(where, fields);
  return fields;
}

/** Items, with a set's vectors when it is named. */
async function itemsWith(sql: Sql, identity: string | undefined): Promise<string> {
  if (identity === undefined) return "clipt.items";
  const sets = await readSets(sql);
  requireSet(identity, dimsOf(sets));
  return `(SELECT id, fields, vector::text AS vector FROM clipt.items LEFT JOIN ${sets.get(identity)!.name} USING (id)) AS x`;
}

async function lackingIn(sql: Sql, identity: string): Promise<string> {
  const sets = await readSets(sql);
  requireSet(identity, dimsOf(sets));
  return ` AND id NOT IN (SELECT id FROM ${sets.get(identity)!.name})`;
}

function itemOf(row: Row, identity: string | undefined): Item {
  const item = { id: row["id"] as string, fields: row["fields"] as Fields };
  if (identity === undefined || row["vector"] === null) return item;
  return { ...item, vectors: { [identity]: parseVector(row["vector"]) } };
}

async function describe(sql: Sql, identity: string, table: SetTable) {
  const count = await countOf(sql, table.name, []);
  const measured = await measuredOf(sql, identity);
  if (measured === undefined || !(await hasIndex(sql, table))) return { identity, dim: table.dim, count };
  const { recall, sample } = measured;
  return { identity, dim: table.dim, count, index: { kind: "hnsw", recall, sample, outside: 0 } };
}

async function countOf(sql: Sql, from: string, values: readonly unknown[]): Promise<number> {
  const [row] = await sql.query(`SELECT count(*) AS n FROM ${from}`, values);
  return Number(row?.["n"]);
}

const measuredOf = async (sql: Sql, identity: string): Promise<Measured | undefined> =>
  (await readDocument(sql, indexDocument(identity))) as Measured | undefined;

async function readDocument(sql: Sql, name: string): Promise<unknown> {
  const [row] = await sql.query("SELECT value FROM clipt.documents WHERE name = $1", [name]);
  return row?.["value"];
}

async function writeDocument(sql: Sql, name: string, value: unknown): Promise<void> {
  if (value === undefined) await sql.query("DELETE FROM clipt.documents WHERE name = $1", [name]);
  else
    await sql.query(
      "INSERT INTO clipt.documents VALUES ($1, $2::jsonb) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      [name, JSON.stringify(value)],
    );
}

function explained(url: string, error: unknown): CliptError {
  if (error instanceof CliptError) return error;
  // PostgreSQL's code of disk_full.
  const full = (error as { code?: unknown }).code === "53100";
  const message = full ? diskFull(url) : `The index at ${url} cannot be used: ${messageOf(error)}`;
  return new CliptError("io", message, { cause: error });
}
