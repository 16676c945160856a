import { CliptError, messageOf } from "../../tensor/index.js";

export type Row = Readonly<Record<string, unknown>>;

/** What the store needs of a PostgreSQL client: `pg`, or PGlite in the same process. */
export interface Sql {
  query(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

export interface Connection extends Sql {
  /** All of `body` or nothing of it. */
  transaction<T>(body: (sql: Sql) => Promise<T>): Promise<T>;
  /** Statements on one connection, each for itself; what they set is forgotten afterwards. */
  session<T>(body: (sql: Sql) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Connections of a process to one server: searching goes on while something is written. */
const connections = 8;

/**
 * Connects by a URL: `postgres://user:password@host/database`.
 *
 * @throws `io` when the server does not answer or refuses
 */
export async function connectPostgres(url: string): Promise<Connection> {
  const { default: pg } = await import("pg");
  const pool = new pg.Pool({ connectionString: url, max: connections });
  // A connection that breaks while nobody uses it is replaced by the next query.
  pool.on("error", () => {});
  const query =
    (client: Pick<typeof pool, "query">): Sql["query"] =>
    async (text, values = []) =>
      (await client.query(text, [...values])).rows as Row[];
  const connection: Connection = {
    query: query(pool),
    async transaction(body) {
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        const result = await body({ query: query(client) });
        await client.query("COMMIT");
        return result;
      } catch (error) {
        await client.query("ROLLBACK").catch(() => {});
        throw error;
      } finally {
        client.release();
      }
    },
    async session(body) {
      const client = await pool.connect();
      try {
        return await body({ query: query(client) });
      } finally {
        await client.query("RESET ALL").catch(() => {});
        client.release();
      }
    },
    close: () => pool.end(),
  };
  try {
    await connection.query("SELECT 1");
  } catch (cause) {
    await pool.end();
    throw new CliptError("io", `${withoutSecrets(url)} does not answer: ${messageOf(cause)}`, { cause });
  }
  return connection;
}

/** The URL without its password and without parameters, which may hold one. */
export function withoutSecrets(url: string): string {
  try {
    const parsed = new URL(url);
    if (parsed.password !== "") parsed.password = "…";
    parsed.search = "";
    return decodeURI(parsed.href);
  } catch {
    return "postgres:";
  }
}
