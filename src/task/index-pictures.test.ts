import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import sharp from "sharp";
import { drawnPicture } from "../../test/made-data.js";
import { writeSmallModel } from "../../test/small-model.js";
import { packageRoot } from "../package-root.js";
import { openStore } from "../store/index.js";
import { duplicates } from "./duplicates.js";
import { indexPictures } from "./index-pictures.js";
import { search } from "./search.js";
import { openServices, type Services } from "./services.js";

describe("an index of folders", () => {
  let root = "";
  let services: Services;
  const at = (...parts: string[]): string => join(root, ...parts);
  const index = (options: { db?: string; ignore?: string[]; model?: string } = {}) =>
    indexPictures({ folders: [at("photos")], db: at("db"), model: at("model"), ...options }, { services });
  const done = async (options?: Parameters<typeof index>[0]) => {
    const { added, reused, unchanged, deleted, skipped } = await index(options);
    return [added, reused, unchanged, deleted, skipped];
  };

  before(async () => {
    root = await realpath(mkdtempSync(join(tmpdir(), "clipt-index-")));
    await writeSmallModel(at("model"));
    await writeSmallModel(at("other"), "other");
    mkdirSync(at("photos", "2020"), { recursive: true });
    for (let i = 0; i < 20; i++) writeFileSync(at("photos", `${i}.png`), await drawnPicture(i * 12));
    services = openServices({ decodeWorkers: 2 });
  });
  after(async () => {
    await services.close();
    rmSync(root, { recursive: true, force: true });
  });

  test("follows the folder: new, changed, moved, deleted and broken files", async () => {
    writeFileSync(at("photos", "broken.jpg"), "no picture");
    assert.deepEqual(await done(), [20, 0, 0, 0, 1]);
    unlinkSync(at("photos", "broken.jpg"));
    assert.deepEqual(await done(), [0, 0, 20, 0, 0]);

    renameSync(at("photos", "1.png"), at("photos", "2020", "one.png"));
    writeFileSync(at("photos", "2.png"), await drawnPicture(7));
    unlinkSync(at("photos", "3.png"));
    assert.deepEqual(await done(), [1, 1, 17, 2, 0]);
    assert.deepEqual(await done({ ignore: ["2020/"] }), [0, 0, 18, 1, 0]);
    assert.deepEqual(await done(), [1, 0, 18, 0, 0]);
  });

  test("knows what the files say", async () => {
    const store = await openStore(at("db"));
    const [item] = await store.get([at("photos", "4.png")]);
    await store.close();
    const { name, width, height, format, hash, phash } = item?.fields ?? {};
    assert.deepEqual([name, width, height, format], ["4.png", 12, 10, "png"]);
    assert.match(String(hash), /^[0-9a-f]{64}$/);
    assert.match(String(phash), /^[0-9a-f]{16}$/);
  });

  test("is searched without its folder, by picture, with conditions", async () => {
    const query = at("photos", "7.png");
    const choice = { query, k: 3, db: at("db"), model: at("model") };
    const found = await search(choice, { services });
    assert.ok(!Array.isArray(found));
    assert.equal(found.results[0]?.path, query);
    const wide = await search({ ...choice, where: "width > 12" }, { services });
    assert.deepEqual(wide, { query, results: [] });
    await assert.rejects(search({ ...choice, where: "lens = x y" }, { services }), { code: "input" });
    await assert.rejects(search({ ...choice, db: at("empty") }, { services }), /is empty. Fill it with/);
  });

  test("another model's vectors stand beside the first's", async () => {
    assert.deepEqual(await done({ model: at("other") }), [19, 0, 0, 0, 0]);
    const store = await openStore(at("db"));
    assert.deepEqual(
      (await store.sets()).map(({ count }) => count),
      [19, 19],
    );
    await store.close();
  });

  test("a folder that is not there deletes nothing", async () => {
    renameSync(at("photos"), at("away"));
    await assert.rejects(index(), { code: "missing" });
    renameSync(at("away"), at("photos"));
    assert.deepEqual(await done(), [0, 0, 19, 0, 0]);
  });

  test("copies are told apart: equal files, the same picture otherwise", async () => {
    const photo = join(packageRoot, "examples", "pictures", "cat.jpg");
    mkdirSync(at("copies"));
    copyFileSync(photo, at("copies", "a.jpg"));
    copyFileSync(photo, at("copies", "b.jpg"));
    await sharp(photo).resize(200).webp({ quality: 60 }).toFile(at("copies", "small.webp"));
    copyFileSync(join(packageRoot, "examples", "pictures", "coffee.jpg"), at("copies", "coffee.jpg"));
    await sharp(at("copies", "coffee.jpg")).png().toFile(at("copies", "coffee.png"));
    await indexPictures({ folders: [at("copies")], db: at("copies.db"), model: at("model") }, { services });
    const groups = await duplicates({ db: at("copies.db"), model: at("model") }, { services });
    assert.deepEqual(
      groups.map(({ kind, paths }) => [kind, ...paths.map((path) => basename(path)).sort()]),
      [
        ["same", "a.jpg", "b.jpg", "small.webp"],
        ["same", "coffee.jpg", "coffee.png"],
      ],
    );
    assert.ok(!groups[0]!.paths[0]!.endsWith(".webp"), "the largest first");
  });
});
