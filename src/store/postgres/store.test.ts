import { after } from "node:test";
import type { PGlite } from "@electric-sql/pglite";
import { serveDatabase, startDatabase as start } from "../../../test/database-in-process.js";
import { needsPostgres, testDatabase, type TestDatabase } from "../../../test/test-database.js";
import { connectPostgres, type Connection, type Row } from "./connection.js";
import { openPostgres } from "./store.js";
import { testStore } from "../store-suite.js";

const inProcess = (db: PGlite): Connection => {
  const rows = (result: { rows: unknown[] }): Row[] => result.rows as Row[];
  const query: Connection["query"] = async (text, values = []) => rows(await db.query(text, [...values]));
  return {
    query,
    session: async (body) => {
      try {
        return await body({ query });
      } finally {
        await db.query("RESET ALL");
      }
    },
    transaction: (body) =>
      db.transaction((tx) =>
        body({ query: async (text, values = []) => rows(await tx.query(text, [...values])) }),
      ),
    close: () => Promise.resolve(),
  };
};

/** One database for the whole suite: starting it takes seconds. */
let shared: Promise<PGlite> | undefined;
const empty = async (): Promise<PGlite> => {
  const db = await (shared ??= start());
  await db.exec("DROP SCHEMA IF EXISTS clipt CASCADE");
  return db;
};

testStore("PostgreSQL (PGlite)", {
  create: async () => openPostgres("pglite:", inProcess(await empty())),
  reopen: async () => openPostgres("pglite:", inProcess(await (shared ??= start()))),
});

let socket: Promise<TestDatabase> | undefined;
after(async () => {
  await (await socket)?.drop();
  await (await shared)?.close();
});
const serve = async (): Promise<TestDatabase> => serveDatabase(await (shared ??= start()));

testStore("PostgreSQL (pg, over a socket)", {
  create: async () => {
    const { url } = await (socket ??= serve());
    await empty();
    return openPostgres(url, await connectPostgres(url));
  },
  reopen: async (closed) => openPostgres(closed.url, await connectPostgres(closed.url)),
});

let database: Promise<TestDatabase> | undefined;
after(async () => (await database)?.drop());

testStore(
  "PostgreSQL (a server)",
  {
    create: async () => {
      const { url } = await (database ??= testDatabase());
      const connection = await connectPostgres(url);
      await connection.query("DROP SCHEMA IF EXISTS clipt CASCADE");
      return openPostgres("postgres:", connection);
    },
    reopen: async () => openPostgres("postgres:", await connectPostgres((await database)!.url)),
    indexes: true,
  },
  needsPostgres,
);
