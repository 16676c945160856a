import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { after } from "node:test";
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { needsPostgres, testDatabase, type TestDatabase } from "../../../test/test-database.js";
import { connectPostgres, type Connection, type Row } from "./connection.js";
import { openPostgres } from "./store.js";
import { testStore } from "../store-suite.js";

/** PostgreSQL in this process, as WebAssembly. */
const start = (): Promise<PGlite> => PGlite.create({ extensions: { vector } });

const inProcess = (db: PGlite): Connection => {
  const rows = (result: { rows: unknown[] }): Row[] => result.rows as Row[];
  return {
    query: async (text, values = []) => rows(await db.query(text, [...values])),
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

/** A free port of loopback. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

let socket: Promise<string> | undefined;
let stop = async (): Promise<void> => {};
after(async () => {
  await stop();
  await (await shared)?.close();
});
const serve = async (): Promise<string> => {
  const [db, port] = [await (shared ??= start()), await freePort()];
  const server = new PGLiteSocketServer({ db, port, host: "127.0.0.1", maxConnections: 10 });
  await server.start();
  stop = () => server.stop();
  return `postgres://postgres:postgres@127.0.0.1:${port}/postgres`;
};

testStore("PostgreSQL (pg, over a socket)", {
  create: async () => {
    const url = await (socket ??= serve());
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
