import type { Row, Sql } from "./connection.js";
import type { SetTable } from "./schema.js";

/** Items that are compared one by one in some milliseconds. */
const few = 5_000;
/** Conditions that are remembered. */
const mostKnown = 100;
/** Candidates beyond the wanted ones that are compared exactly. */
const spare = 10;

/** What is looked for: `columns` of the items that meet a condition. The first of `values` is the vector. */
export interface Wanted {
  readonly table: SetTable;
  readonly columns: string;
  readonly condition: string;
  readonly values: readonly unknown[];
  readonly k: number;
  readonly offset: number;
}

/** Conditions that more than a few items met: the index is asked at once. */
export class Searches {
  private readonly many = new Set<string>();

  /** Best first, equal ones by id. Without `ef`, how many candidates the index keeps, all are compared. */
  async nearest(sql: Sql, wanted: Wanted, ef: number | undefined): Promise<readonly Row[]> {
    const all = () => sql.query(nearestSql(wanted, true), wanted.values);
    if (ef === undefined) return all();
    const { condition, values, k, offset } = wanted;
    const key = JSON.stringify([condition, values.slice(1)]);
    if (condition !== "true" && !this.many.has(key)) {
      const found = await nearestOfFew(sql, wanted);
      if (found !== undefined) return found;
      if (this.many.size >= mostKnown) this.many.clear();
      this.many.add(key);
    }
    await prepareSearch(sql, Math.max(ef, offset + k + spare));
    const found = await sql.query(nearestSql(wanted, false), values);
    // The index gives up where those that meet the condition are far away.
    return condition !== "true" && found.length < k ? all() : found;
  }
}

export const half = ({ dim }: SetTable): string => `vector::halfvec(${dim})`;

/** How a search is told with which effort to use the index. With a filter, it goes on until it has enough. */
export async function prepareSearch(sql: Sql, ef: number): Promise<void> {
  await sql.query(
    "SELECT set_config('hnsw.ef_search', $1, true), set_config('hnsw.iterative_scan', 'strict_order', true)",
    [String(Math.min(ef, 1000))],
  );
}

/**
 * A query for the nearest items. The index knows vectors in half precision, so some more are compared exactly.
 */
export function nearestSql(
  { table, columns, condition, k, offset }: Omit<Wanted, "values">,
  exact: boolean,
): string {
  // What is added keeps the server from using an index of whole vectors.
  const rows = `SELECT ${columns}, (vector <=> $1::vector) + 0 AS distance FROM ${table.name} JOIN clipt.items USING (id) WHERE ${condition}`;
  const page = `ORDER BY distance, id LIMIT ${k} OFFSET ${offset}`;
  if (exact) return `${rows} ${page}`;
  return `SELECT * FROM (${rows} ORDER BY ${half(table)} <=> $1::halfvec(${table.dim}) LIMIT ${offset + k + spare}) AS nearest ${page}`;
}

/** Compares all that meet a condition if they are few: the index would pass by thousands for one of them. Else undefined. */
async function nearestOfFew(
  sql: Sql,
  { table, columns, condition, values, k, offset }: Wanted,
): Promise<readonly Row[] | undefined> {
  const rows = await sql.query(
    `WITH met AS MATERIALIZED (SELECT id, fields FROM clipt.items WHERE ${condition} LIMIT ${few}),
      nearest AS (SELECT ${columns}, vector <=> $1::vector AS distance FROM met JOIN ${table.name} USING (id) ORDER BY distance, id LIMIT ${k} OFFSET ${offset})
      SELECT *, (SELECT count(*) FROM met) AS met FROM (SELECT) AS one LEFT JOIN nearest ON true ORDER BY distance, id`,
    values,
  );
  return Number(rows[0]?.["met"]) < few ? rows.filter(({ id }) => id !== null) : undefined;
}
