import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { drawnPicture } from "../../test/made-data.js";
import { serveDatabase, startDatabase } from "../../test/database-in-process.js";
import { writeSmallModel } from "../../test/small-model.js";
import { needsPostgres, testDatabase, type TestDatabase } from "../../test/test-database.js";
import { openStore } from "../store/index.js";
import { indexPictures } from "./index-pictures.js";
import { IndexQueue } from "./indexing/queue.js";
import { openServices, type Services } from "./services.js";
import { worker } from "./worker.js";

const inProcess = async (): Promise<TestDatabase> => {
  const db = await startDatabase();
  const served = await serveDatabase(db);
  return { ...served, drop: async () => (await served.drop(), db.close()) };
};

testQueue("PGlite's socket", {}, inProcess);
testQueue("a server", needsPostgres, testDatabase);

function testQueue(engine: string, options: { skip?: string | false }, open: () => Promise<TestDatabase>) {
  describe(`a queue of indexing work in PostgreSQL (${engine})`, options, () => {
    let root = "";
    let services: Services;
    let database: TestDatabase;
    const at = (...parts: string[]): string => join(root, ...parts);
    const send = () =>
      indexPictures({ folders: [at("photos")], queue: database.url, model: at("model") }, { services });
    const work = (options: { retry?: boolean; failed?: boolean } = {}) =>
      worker({ queue: database.url, model: at("model"), drain: true, ...options }, { services });

    before(async () => {
      root = await realpath(mkdtempSync(join(tmpdir(), "clipt-queue-")));
      await writeSmallModel(at("model"));
      mkdirSync(at("photos"));
      for (let i = 0; i < 450; i++) writeFileSync(at("photos", `${i}.png`), await drawnPicture(i));
      writeFileSync(at("photos", "broken.png"), "no picture");
      services = openServices({ decodeWorkers: 1 });
      database = await open();
    });
    after(async () => {
      await services.close();
      await database.drop();
      rmSync(root, { recursive: true, force: true });
    });

    test("several workers share the work; sent twice, it is done once", async () => {
      assert.deepEqual([(await send()).queued, (await send()).queued], [451, 451]);
      const done = await Promise.all([work(), work()]);
      const sum = (key: "parts" | "added" | "reused"): number => done.reduce((all, one) => all + one[key], 0);
      // 451 files are three parts, twice.
      assert.equal(sum("parts"), 6);
      assert.ok(sum("added") + sum("reused") >= 450);
      const store = await openStore(database.url);
      assert.deepEqual([await store.count(), (await store.sets())[0]?.count], [450, 450]);
      await store.close();
      const again = await send();
      assert.deepEqual([again.queued, again.unchanged, again.pictures], [1, 450, 450]);
      await work();
    });

    test("what fails again and again is put aside, listed, and can be tried once more", async () => {
      const encoder = await services.encoder({ model: at("model") });
      const queue = await IndexQueue.open(database.url, encoder.model.identity);
      writeFileSync(at("photos", "one more.png"), await drawnPicture(9999));
      await send();
      try {
        for (let tries = 0; (await queue.failed()).length === 0; tries++) {
          assert.ok(tries < 200);
          const taken = await queue.take();
          if (taken === undefined) await new Promise((done) => setTimeout(done, 200));
          else await queue.fail(taken.id, "the disk is on fire");
        }
      } finally {
        await queue.close();
      }
      const { failed, parts } = await work({ failed: true });
      assert.equal(parts, 0);
      assert.deepEqual(
        failed.map(({ reason, files }) => [reason, files.includes(at("photos", "one more.png"))]),
        [["the disk is on fire", true]],
      );
      const retried = await work({ retry: true });
      assert.deepEqual([retried.added + retried.reused, retried.failed], [1, []]);
    });

    test("a queue that is no server is refused", async () => {
      await assert.rejects(worker({ queue: "redis://x", db: at("db"), model: at("model") }, { services }), {
        code: "usage",
      });
    });
  });
}
