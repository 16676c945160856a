import pg from "pg";

const { CLIPT_TEST_PG: server } = process.env;

/** Options for a test that needs a real PostgreSQL with pgvector: skipped where `CLIPT_TEST_PG` names none. */
export const needsPostgres: { skip: string | false } = {
  skip: server === undefined || server === "" ? "CLIPT_TEST_PG names no PostgreSQL server" : false,
};

export interface TestDatabase {
  readonly url: string;
  readonly drop: () => Promise<void>;
}

/** An empty database of its own on that server: test files run side by side. */
export async function testDatabase(): Promise<TestDatabase> {
  const name = `clipt_test_${process.pid}_${Math.random().toString(36).slice(2, 8)}`;
  const run = async (sql: string): Promise<void> => {
    const client = new pg.Client({ connectionString: server });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  await run(`CREATE DATABASE ${name}`);
  const url = new URL(server!);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => run(`DROP DATABASE ${name} WITH (FORCE)`) };
}
