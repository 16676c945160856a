import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
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
import { similar } from "./similar.js";
import { openServices, type Services } from "./services.js";
import type { TaskEvent } from "./task.js";

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
    writeFileSync(at("away.png"), await drawnPicture(7 * 12));
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

  test("a file that cannot be used is tried again when it has changed, or when that is asked for", async () => {
    mkdirSync(at("some"));
    copyFileSync(at("photos", "7.png"), at("some", "good.png"));
    writeFileSync(at("some", "bad.png"), "no picture");
    const run = async (retry = false) => {
      const events: TaskEvent[] = [];
      const { added, unchanged, skipped } = await indexPictures(
        { folders: [at("some")], db: at("some.db"), model: at("model"), retry },
        { services, emit: (event) => events.push(event) },
      );
      const named = events.filter(({ kind }) => kind === "skipped").length;
      const notes = events.flatMap((event) => (event.kind === "note" ? [event.message] : []));
      return { counts: [added, unchanged, skipped], named, notes };
    };
    assert.deepEqual(await run(), { counts: [1, 0, 1], named: 1, notes: [] });
    const again = await run();
    assert.deepEqual([again.counts, again.named], [[0, 1, 1], 0]);
    assert.match(again.notes.join(), /^1 of the files could not be used before/);
    assert.deepEqual(await run(true), { counts: [0, 1, 1], named: 1, notes: [] });
    assert.equal((await run()).named, 0);
    writeFileSync(at("some", "bad.png"), await drawnPicture(3));
    assert.deepEqual(await run(), { counts: [1, 1, 0], named: 0, notes: [] });
    rmSync(at("some", "good.png"));
    writeFileSync(at("some", "bad.png"), "no picture again");
    const none = { code: "input", message: /None of the 1 pictures can be used/ };
    await assert.rejects(run(), none);
    await assert.rejects(run(), none);
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
    const empty = await openStore(at("empty"));
    await assert.rejects(search({ ...choice, db: at("empty") }, { services }), /is empty. Fill it with/);
    assert.deepEqual(await empty.sets(), [], "asking makes nothing");
    await empty.close();
    await assert.rejects(search({ ...choice, db: at("none") }, { services }), {
      code: "missing",
      message: /There is no index at/,
    });
    assert.ok(!existsSync(at("none")));
  });

  test("by a picture of the index, which is not among its own results; a picture from elsewhere", async () => {
    const choice = { k: 100, db: at("db"), model: at("model") };
    const seven = await similar({ picture: at("photos", "7.png"), ...choice }, { services });
    const elsewhere = await similar({ picture: at("away.png"), ...choice }, { services });
    assert.equal(elsewhere.results.length, seven.results.length + 1);
    assert.equal(elsewhere.results[0]?.path, at("photos", "7.png"));
    assert.ok(seven.results.every(({ path }) => path !== at("photos", "7.png")));
    await assert.rejects(similar({ picture: at("nowhere.png"), ...choice }, { services }), {
      code: "missing",
    });
  });

  test("with signs, a sort, marks and pages", async () => {
    const choice = { db: at("db"), model: at("model"), k: 5 };
    const found = async (options: Partial<Parameters<typeof search>[0]>) => {
      const answer = await search({ query: "a cat", ...choice, ...options }, { services });
      assert.ok(!Array.isArray(answer));
      return answer;
    };
    const [first] = (await found({})).results;
    const two = await found({ query: `"a cat" - ${at("photos", "7.png")}` });
    assert.equal(two.understood, `"a cat" - "${at("photos", "7.png")}"`);
    assert.ok((await found({ dislike: [first!.path] })).results.every(({ path }) => path !== first?.path));
    const page = await found({ offset: 2, k: 3 });
    assert.deepEqual(page.results, (await found({})).results.slice(2));
    const dates = (await found({ sort: "oldest" })).results.map(({ fields }) => Number(fields?.["modified"]));
    assert.deepEqual(
      dates,
      [...dates].sort((a, b) => a - b),
    );
    const long = `${"very ".repeat(200)}long`;
    assert.deepEqual((await found({ query: long })).truncated, [long]);
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

  test("a table's columns become fields; they stay when the table is not given again", async () => {
    mkdirSync(at("shop"));
    for (const i of [1, 2, 3]) writeFileSync(at("shop", `${i}.png`), await drawnPicture(100 + i));
    writeFileSync(
      at("shop", "goods.csv"),
      'path,price,in stock,since,title\n1.png,9.5,true,2024-01-31,"Mug, blue"\n2.png,12,false,,Cup\nnone.png,1,true,,Lost\n',
    );
    const db = at("shop.db");
    const shop = (metadata?: string) =>
      indexPictures({ folders: [at("shop")], db, model: at("model"), metadata }, { services });
    const fieldsOf = async (name: string) => {
      const store = await openStore(db);
      const [item] = await store.get([at("shop", name)]);
      await store.close();
      const { price, in_stock, since, title } = item?.fields ?? {};
      return [price, in_stock, since, title];
    };
    await shop(at("shop", "goods.csv"));
    assert.deepEqual(await fieldsOf("1.png"), [9.5, true, Date.UTC(2024, 0, 31), "Mug, blue"]);
    assert.deepEqual(await fieldsOf("2.png"), [12, false, undefined, "Cup"]);
    assert.deepEqual(await fieldsOf("3.png"), [undefined, undefined, undefined, undefined]);
    const query = at("shop", "1.png");
    const found = await search({ query, db, model: at("model"), where: "price > 10" }, { services });
    assert.ok(!Array.isArray(found));
    assert.deepEqual(
      found.results.map(({ path }) => basename(path)),
      ["2.png"],
    );
    writeFileSync(at("shop", "goods.jsonl"), '{"path": "1.png", "price": 8, "title": "Mug"}\n');
    assert.deepEqual((await shop(at("shop", "goods.jsonl"))).added, 0);
    assert.deepEqual(await fieldsOf("1.png"), [8, undefined, undefined, "Mug"]);
    assert.equal((await shop()).unchanged, 3);
    assert.deepEqual(await fieldsOf("2.png"), [12, false, undefined, "Cup"]);

    writeFileSync(at("shop", "wrong.csv"), "path,width\n1.png,5\n");
    await assert.rejects(shop(at("shop", "wrong.csv")), { code: "input", message: /"width" would replace/ });
    writeFileSync(at("shop", "none.csv"), "name,colour\n1.png,red\n");
    await assert.rejects(shop(at("shop", "none.csv")), { code: "format", message: /needs a column "path"/ });
  });

  test("the old model answers while the new one's vectors come; then the old ones can go", async () => {
    const [db, folder] = [at("two.db"), at("photos")];
    await indexPictures({ folders: [folder], db, model: at("model") }, { services });
    const query = at("photos", "7.png");
    const first = async (model: string) => {
      const found = await search({ query, db, model: at(model), k: 30 }, { services });
      assert.ok(!Array.isArray(found));
      return found.results.length;
    };
    const all = await first("model");
    let during: Promise<number> | undefined;
    const emit = (event: TaskEvent): void => {
      if (event.kind === "progress" && event.stage === "indexing") during ??= first("model");
    };
    const next = { folders: [folder], db, model: at("other") };
    await indexPictures(next, { services, emit });
    assert.equal(await during, all);
    await indexPictures({ ...next, replace: true }, { services });
    assert.equal(await first("other"), all);
    const store = await openStore(db);
    assert.equal((await store.sets()).length, 1);
    await store.close();
  });

  test("a folder that is suddenly empty loses nothing, unless that is meant", async () => {
    mkdirSync(at("drive"));
    writeFileSync(at("drive", "a.png"), await drawnPicture(1));
    const drive = (allowEmpty = false) =>
      indexPictures(
        { folders: [at("drive")], db: at("drive.db"), model: at("model"), allowEmpty },
        { services },
      );
    await drive();
    unlinkSync(at("drive", "a.png"));
    await assert.rejects(drive(), { code: "input", message: /knows 1 there. Is a drive missing/ });
    assert.deepEqual((await drive(true)).pictures, 0);
  });

  test("thumbnails of other programs, and what .cliptignore names, are left out", async () => {
    for (const folder of ["@eaDir", "out", "in"]) mkdirSync(at("ignored", folder), { recursive: true });
    for (const path of ["@eaDir/t.png", "out/a.png", "in/b.png", "in/c.png"])
      writeFileSync(at("ignored", path), await drawnPicture(path.length));
    writeFileSync(at("ignored", ".cliptignore"), "out/\n*.png\n!b.png\n");
    const { pictures } = await indexPictures(
      { folders: [at("ignored")], db: at("ignored.db"), model: at("model") },
      { services },
    );
    assert.equal(pictures, 1);
  });

  test("says of each file in a mess why it cannot be used, and takes the others", async () => {
    const mess = (...parts: string[]): string => at("mess", ...parts);
    mkdirSync(mess("deep", "er"), { recursive: true });
    const good = ["пёс и кот.png", "😀🐶.png", "with\nnewline.png", "deep/er/-dash.png"];
    for (const [i, name] of good.entries()) writeFileSync(mess(name), await drawnPicture(i));
    writeFileSync(mess("empty.jpg"), "");
    writeFileSync(mess("text.jpg"), "hello world");
    writeFileSync(mess("huge.jpg"), "");
    truncateSync(mess("huge.jpg"), 5 * 2 ** 30);
    symlinkSync("..", mess("deep", "loop"));
    symlinkSync("nowhere.jpg", mess("broken link.jpg"));
    symlinkSync("nowhere", mess("broken link of another kind"));
    const reasons: string[] = [];
    const emit = (event: TaskEvent): void => {
      if (event.kind === "skipped") reasons.push(`${basename(event.item)}: ${event.reason}`);
    };
    const { added, skipped } = await indexPictures(
      { folders: [mess()], db: at("mess.db"), model: at("model") },
      { services, emit },
    );
    assert.deepEqual([added, skipped], [good.length, 4]);
    for (const expected of [
      /^empty\.jpg: The file is empty/,
      /^text\.jpg: Not a picture: begins with 'hello wor'/,
      /^huge\.jpg: .*has 5368709120 bytes; pictures of at most/,
      /^broken link\.jpg: .*leads nowhere/,
    ])
      assert.ok(
        reasons.some((reason) => expected.test(reason)),
        `${expected} in ${reasons.join("; ")}`,
      );
  });

  test("HEIC says its size and date", async () => {
    mkdirSync(at("heic"));
    copyFileSync(join(packageRoot, "test/fixtures/pictures/turned.heic"), at("heic", "a.HEIC"));
    await indexPictures({ folders: [at("heic")], db: at("heic.db"), model: at("model") }, { services });
    const store = await openStore(at("heic.db"));
    const [item] = await store.list({ limit: 1 });
    await store.close();
    const { width, height, format, camera, taken } = item?.fields ?? {};
    const expected = [32, 48, "heic", "Clipt Test 1", Date.UTC(2021, 2, 4, 5, 6, 7)];
    assert.deepEqual([width, height, format, camera, taken], expected);
  });
});
