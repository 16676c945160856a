import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { drawnPicture, temporaryFolder, writeTar } from "../../../test/made-data.js";
import {
  createFeatureCache,
  openFeatureCache,
  openFeatureRows,
  type FeatureLayout,
} from "./feature-cache.js";
import { openLoader } from "./loader.js";
import { openMixture } from "./open-source.js";

const layout: FeatureLayout = { identity: "tower 1", rowShape: [2, 3], dtype: "float32", versions: 2 };
const row = (n: number): Float32Array => Float32Array.from({ length: 6 }, (_, i) => n + i / 8);

test("rows come back from anywhere, exactly as float32 and to the nearest as float16", async (t) => {
  for (const dtype of ["float32", "float16"] as const) {
    const folder = temporaryFolder(t);
    const writer = await createFeatureCache(folder, { ...layout, dtype });
    for (let n = 0; n < 5; n++) await writer.write(`k${n}`, [row(n), row(n + 100)]);
    const cache = await writer.finish();
    assert.deepEqual(cache.keys, ["k0", "k1", "k2", "k3", "k4"]);
    assert.deepEqual(await cache.read("k3", 1), row(103));
    assert.deepEqual(await cache.read("k0"), row(0));
    await assert.rejects(cache.read("k9"), { code: "missing" });
    await assert.rejects(cache.read("k1", 2), { code: "missing" });
    await cache.close();
  }
});

test("features of another identity, version count, shape or type are not found", async (t) => {
  const folder = temporaryFolder(t);
  await (await (await createFeatureCache(folder, layout)).finish()).close();
  for (const change of [
    { identity: "tower 2" },
    { versions: 1 },
    { rowShape: [3, 2] },
    { dtype: "float16" as const },
  ])
    assert.equal(await openFeatureCache(folder, { ...layout, ...change }), undefined);
  const same = await openFeatureCache(folder, { ...layout });
  assert.deepEqual(same?.keys, []);
  await same?.close();
});

test("a run that stops in the middle leaves the features that were there", async (t) => {
  const folder = temporaryFolder(t);
  const first = await createFeatureCache(folder, layout);
  await first.write("a", [row(1), row(2)]);
  await (await first.finish()).close();
  const second = await createFeatureCache(folder, layout);
  await second.write("b", [row(3), row(4)]);
  const cache = await openFeatureCache(folder, layout);
  assert.deepEqual(cache?.keys, ["a"]);
  await cache?.close();
  await second.abandon();
  assert.equal(readdirSync(folder).length, 1);
});

test("rows that are cut or an index that is no JSON are no cache", async (t) => {
  const folder = temporaryFolder(t);
  const writer = await createFeatureCache(folder, layout);
  await writer.write("a", [row(1), row(2)]);
  await (await writer.finish()).close();
  const inside = join(folder, readdirSync(folder)[0] ?? "");
  truncateSync(join(inside, "rows.bin"), 40);
  assert.equal(await openFeatureCache(folder, layout), undefined);
  writeFileSync(join(inside, "index.json"), "{");
  assert.equal(await openFeatureCache(folder, layout), undefined);
  rmSync(join(inside, "index.json"));
  assert.equal(await openFeatureCache(folder, layout), undefined);
});

test("wrong rows are refused", async (t) => {
  const writer = await createFeatureCache(temporaryFolder(t), layout);
  await assert.rejects(writer.write("a", [row(1)]), { code: "shape" });
  await assert.rejects(writer.write("a", [row(1), new Float32Array(5)]), { code: "shape" });
  await writer.write("a", [row(1), row(2)]);
  await assert.rejects(writer.write("a", [row(1), row(2)]), { code: "input" });
  await writer.abandon();
});

test("a full disk is an io error and leaves nothing behind", async (t) => {
  const folder = temporaryFolder(t);
  const program = `
    import { createFeatureCache } from ${JSON.stringify(new URL("./feature-cache.js", import.meta.url).href)};
    const layout = { identity: "big", rowShape: [100000], dtype: "float32", versions: 1 };
    const writer = await createFeatureCache(${JSON.stringify(folder)}, layout);
    try {
      await writer.write("a", [new Float32Array(100000)]);
    } catch (error) {
      console.log(error.code, error.message.slice(0, 13));
    }`;
  writeFileSync(join(folder, "write.mjs"), program);
  // The shell's limit on a file's size (KiB or half KiB) stands for the disk's end.
  const output = execFileSync("sh", [
    "-c",
    'ulimit -f 64; exec "$0" "$1"',
    process.execPath,
    join(folder, "write.mjs"),
  ]);
  assert.equal(output.toString(), "io No space left\n");
  assert.deepEqual(readdirSync(folder), ["write.mjs"]);
});

test("a folder that cannot be made is an io error", async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "x"));
  writeFileSync(join(folder, "x", "file"), "");
  await assert.rejects(createFeatureCache(join(folder, "x", "file"), layout), { code: "io" });
});

test("a loader draws features instead of pictures, and skips what has none", async (t) => {
  const folder = temporaryFolder(t);
  const files: Record<string, string | Uint8Array> = {};
  for (let n = 0; n < 9; n++)
    Object.assign(files, { [`${n}.png`]: await drawnPicture(n), [`${n}.txt`]: `${n}` });
  await writeTar(join(folder, "a.tar"), files);
  const writer = await createFeatureCache(folder, layout);
  for (let n = 0; n < 8; n++) await writer.write(String(n), [row(n), row(n + 100)]);
  const rows = openFeatureRows(await writer.finish());
  const loader = openLoader(await openMixture(join(folder, "a.tar")), { batchSize: 4, seed: 5, rows });
  const versions = new Set<number>();
  for (let step = 0; step < 6; step++) {
    const { pairs, rows } = await loader.next();
    assert.deepEqual(rows?.shape, [4, 2, 3]);
    for (const [i, { sample }] of pairs.entries()) {
      const value: number = rows?.data[i * 6] ?? NaN;
      assert.equal(value % 100, Number(sample.key));
      versions.add(Math.floor(value / 100));
    }
  }
  assert.deepEqual([...versions].sort(), [0, 1]);
  assert.deepEqual(
    loader.skips.list.map(({ key, reason }) => `${key}: ${reason}`),
    ["8: it has no cached features"],
  );
  await loader.close();
});
