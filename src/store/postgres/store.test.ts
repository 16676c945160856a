import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { PGlite } from "@electric-sql/pglite";
import { serveDatabase, startDatabase as start } from "../../../test/database-in-process.js";
import { needsPostgres, testDatabase, type TestDatabase } from "../../../test/test-database.js";
import { connectPostgres, type Connection, type Row } from "./connection.js";
import { openPostgres } from "./store.js";
import type { Item } from "../store.js";
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

test("what others write in the same database does not change the version", async () => {
  const db = await empty();
  const store = await openPostgres("pglite:", inProcess(db));
  const before = await store.version();
  await db.exec("CREATE TABLE other (n int); INSERT INTO other VALUES (1); DROP TABLE other");
  assert.equal(await store.version(), before);
  await store.writeDocument("d", 1);
  assert.notEqual(await store.version(), before);
});

test("an index that gives up before it has found enough is helped", needsPostgres, async () => {
  const { url, drop } = await testDatabase();
  try {
    // After this many vectors, 20,000 as a rule; and so few would be sorted instead.
    const store = await openPostgres(
      "postgres:",
      await connectPostgres(`${url}?options=-c%20hnsw.max_scan_tuples%3D1%20-c%20enable_sort%3Doff`),
    );
    const [identity, vector] = ["a".repeat(64), Float32Array.of(1, 0)];
    await store.addSet({ identity, dim: 2 });
    const item = (n: number): Item => ({
      id: String(n).padStart(5, "0"),
      fields: { far: n >= 5000 },
      vectors: { [identity]: Float32Array.of(Math.cos(n / 11_000), Math.sin(n / 11_000)) },
    });
    await store.upsert(Array.from({ length: 11_000 }, (_, n) => item(n)));
    await store.compact();
    const found = await store.query({
      identity,
      vector,
      k: 3,
      where: { kind: "compare", field: "far", by: "=", value: true },
    });
    assert.deepEqual(
      found.map(({ id }) => id),
      ["05000", "05001", "05002"],
    );
    await store.close();
  } finally {
    await drop();
  }
});
