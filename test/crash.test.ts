import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { crash } from "../bench/crash.js";
import { openStore } from "../src/store/index.js";
import { indexPictures } from "../src/task/index-pictures.js";
import { openServices } from "../src/task/services.js";
import { drawnPicture } from "./made-data.js";
import { writeSmallModel } from "./small-model.js";
import { needsPostgres, testDatabase } from "./test-database.js";

/** `npm run bench -- crash` kills 50 times among 1,000 pictures; here, a few times. */
describe("an index survives", () => {
  let root = "";
  const at = (name: string): string => join(root, name);
  before(async () => {
    root = await realpath(mkdtempSync(join(tmpdir(), "clipt-crash-")));
    await writeSmallModel(at("model"));
    mkdirSync(at("photos"));
    for (let i = 0; i < 300; i++) writeFileSync(at(`photos/${i}.png`), await drawnPicture(i));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test("SIGKILL of the indexer at random moments", async () => {
    let made = 0;
    const result = await crash("index", { folder: at("photos"), model: at("model"), kills: 4 }, async () => {
      const db = at(`killed ${made++}`);
      return { db, drop: async () => rmSync(db, { recursive: true }) };
    });
    assert.equal(result.pictures, 300);
    assert.equal(result.kills, 4);
  });

  test("SIGKILL of a queue's worker", needsPostgres, async () => {
    const options = { folder: at("photos"), model: at("model"), kills: 2 };
    const result = await crash("work", options, async () => {
      const { url, drop } = await testDatabase();
      return { db: url, drop };
    });
    assert.equal(result.pictures, 300);
  });

  test("a full disk", async (t) => {
    const disk = at("disk");
    mkdirSync(disk);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=100k", "tmpfs", disk], { stdio: "ignore" });
    } catch {
      t.skip("a small file system cannot be mounted here");
      return;
    }
    const services = openServices({ decodeWorkers: 0 });
    const index = (db: string) =>
      indexPictures({ folders: [at("photos")], model: at("model"), db }, { services });
    try {
      await assert.rejects(index(join(disk, "db")), {
        code: "io",
        message: /The disk of the index .* is full/,
      });
      const store = await openStore(join(disk, "db"));
      const written = await store.count();
      assert.ok(written < 300);
      assert.equal((await store.list({ limit: 1000 })).length, written);
      await store.close();
      execFileSync("mount", ["-o", "remount,size=100m", disk]);
      const { pictures, unchanged } = await index(join(disk, "db"));
      assert.deepEqual([pictures, unchanged], [300, written]);
    } finally {
      await services.close();
      execFileSync("umount", ["-l", disk]);
    }
  });
});
