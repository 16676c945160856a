import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { drawnPicture, temporaryFolder, writeFiles, writeTar } from "../../../test/made-data.js";
import { needsShared, sharedPath } from "../../../test/shared.js";
import { clipPreprocess, decodeImage, preprocess } from "../../input/image/index.js";
import { pictures, readSamples, type PictureBatch, type PicturesOptions } from "./pictures.js";
import { readExtent } from "./sample.js";
import { showSkip, Skips } from "./skips.js";

const small = { preprocess: { ...clipPreprocess, size: 16 } };

async function all(expression: string, options: PicturesOptions): Promise<PictureBatch[]> {
  const batches: PictureBatch[] = [];
  for await (const batch of pictures(expression, small, options)) batches.push(batch);
  return batches;
}

test("pictures come in the data's order, preprocessed, broken ones left out, for any number of workers", async (t) => {
  const folder = temporaryFolder(t);
  const files: Record<string, string | Uint8Array> = {};
  for (let n = 0; n < 11; n++)
    Object.assign(files, {
      [`${n}.png`]: n === 4 ? "x" : await drawnPicture(n),
      [`${n}.txt`]: `p ${n}`,
      [`${n}.cls`]: `${n}`,
    });
  await writeTar(join(folder, "a.tar"), files);
  const skips: string[] = [];
  const report = (skip: Parameters<typeof showSkip>[0]) => skips.push(showSkip(skip));
  const batches = await all(folder, { batchSize: 4, workers: 0, report });
  assert.deepEqual(
    batches.map(({ keys }) => keys),
    [
      ["0", "1", "2", "3"],
      ["5", "6", "7", "8"],
      ["9", "10"],
    ],
  );
  assert.deepEqual(batches[2]?.labels, [9, 10]);
  assert.deepEqual(batches[2]?.captions, [[{ text: "p 9" }], [{ text: "p 10" }]]);
  assert.deepEqual(batches[2]?.pixels.shape, [2, 3, 16, 16]);
  assert.equal(skips.length, 1);
  assert.match(skips[0] ?? "", /a\.tar: 4: Not a picture/);
  const expected = preprocess(await decodeImage(files["6.png"] as Uint8Array), small.preprocess);
  assert.deepEqual(batches[1]?.pixels.data.subarray(768, 1536), expected);
  assert.deepEqual(await all(folder, { batchSize: 4, workers: 2 }), batches);
});

test("an empty folder and a folder of broken pictures are errors", async (t) => {
  const folder = temporaryFolder(t);
  await assert.rejects(all(folder, { workers: 0 }), {
    code: "input",
    message: /is empty/,
  });
  writeFiles(folder, { "a.jpg": "text" });
  await assert.rejects(all(folder, { workers: 0 }), /1 skipped:\n.*: a: Not a picture/);
});

test("a signal cancels", async (t) => {
  const folder = temporaryFolder(t);
  writeFiles(folder, { "a.png": await drawnPicture(1), "b.png": await drawnPicture(2) });
  await assert.rejects(all(folder, { workers: 0, signal: AbortSignal.abort() }), { code: "cancelled" });
});

test(
  "the Russian captions of the test pictures are joined",
  needsShared("data", "flickr8k-test-000000.tar"),
  async () => {
    const data = sharedPath("data") ?? "";
    const captions = [join(data, "flickr8k-test-200.ru.jsonl")];
    const texts: string[] = [];
    for await (const sample of readSamples(join(data, "flickr8k-test-000000.tar"), {
      captions,
      onlyLanguage: "ru",
    }))
      texts.push(...sample.captions.map(({ text }) => text));
    assert.equal(texts.length, 200);
    assert.match(texts[0] ?? "", /[а-я]/);
  },
);

test(
  "the training shards hold 6,000 pictures with their captions",
  needsShared("data", "flickr8k-train-000000.tar"),
  async () => {
    const skips = new Skips();
    let [count, captions] = [0, 0];
    const expression = join(sharedPath("data") ?? "", "flickr8k-train-{000000..000002}.tar");
    for await (const sample of readSamples(expression, { report: skips.add })) {
      count++;
      captions += sample.captions.length;
      assert.deepEqual([...readExtent(sample.image).subarray(0, 3)], [0xff, 0xd8, 0xff]);
    }
    assert.equal(count, 6000);
    assert.ok(captions > 29_900 && captions <= 30_000, `${captions} captions`);
    assert.equal(skips.summary(), "");
  },
);
