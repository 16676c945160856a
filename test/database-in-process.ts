import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import type { TestDatabase } from "./test-database.js";

/** PostgreSQL with pgvector in this process, as WebAssembly. */
export const startDatabase = (): Promise<PGlite> => PGlite.create({ extensions: { vector } });

/** Answers at a port of loopback, several connections in turn. */
export async function serveDatabase(db: PGlite): Promise<TestDatabase> {
  const port = await freePort();
  const server = new PGLiteSocketServer({ db, port, host: "127.0.0.1", maxConnections: 20 });
  await server.start();
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    drop: () => server.stop(),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
