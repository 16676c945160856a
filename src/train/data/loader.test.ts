import assert from "node:assert/strict";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { drawnPicture, temporaryFolder, writeTar } from "../../../test/made-data.js";
import { needsShared, sharedPath } from "../../../test/shared.js";
import { clipPreprocess, openClipAugment } from "../../input/image/index.js";
import { openPictureRows } from "./decode-pool.js";
import { readLabelSet } from "./labels.js";
import { openLoader, type Batch, type Loader, type LoaderOptions } from "./loader.js";
import { openMixture } from "./open-source.js";
import type { PictureOptions } from "./picture-rows.js";
import type { Ingredient } from "./sampler.js";

const input: PictureOptions = {
  preprocess: { ...clipPreprocess, size: 8 },
  augment: { ...openClipAugment, scale: [0.2, 1], horizontalFlipProb: 0.5 },
};

/** Archives a.tar, b.tar, … of `each` pictures; picture n has the captions "n a" and "n b". */
async function archives(t: TestContext, names: string, each: number): Promise<string> {
  const folder = temporaryFolder(t);
  let n = 0;
  for (const name of names) {
    const files: Record<string, string | Uint8Array> = {};
    for (let i = 0; i < each; i++, n++) {
      files[`${n}.jpg`] = await drawnPicture(n, "jpeg");
      files[`${n}.txt`] = `${n} a\n${n} b`;
    }
    await writeTar(join(folder, `${name}.tar`), files);
  }
  return folder;
}

type Options = Partial<LoaderOptions> & { readonly workers?: number };

async function withLoader<T>(
  mixture: readonly Ingredient[],
  { workers = 0, ...options }: Options,
  use: (loader: Loader) => Promise<T>,
): Promise<T> {
  const rows = openPictureRows(input, workers);
  const loader = openLoader(mixture, { batchSize: 4, seed: 3, shuffleBuffer: 10, rows, ...options });
  try {
    return await use(loader);
  } finally {
    await loader.close();
  }
}

async function take(loader: Loader, count: number): Promise<Batch[]> {
  const batches: Batch[] = [];
  while (batches.length < count) batches.push(await loader.next());
  return batches;
}

const keys = (batches: readonly Batch[]): string[] =>
  batches.flatMap((batch) => batch.pairs.map((pair) => pair.sample.key));

test("an epoch shows every picture once, in an order of its own, each with one of its captions", async (t) => {
  const mixture = await openMixture(await archives(t, "abc", 8));
  await withLoader(mixture, {}, async (loader) => {
    const epochs = [await take(loader, 6), await take(loader, 6)];
    for (const [i, batches] of epochs.entries()) {
      assert.deepEqual([...new Set(batches.map((batch) => batch.epoch))], [i]);
      assert.deepEqual(
        keys(batches)
          .map(Number)
          .sort((a, b) => a - b),
        Array.from({ length: 24 }, (_, n) => n),
      );
      for (const { pairs, rows, groups } of batches) {
        assert.deepEqual(rows?.shape, [4, 3, 8, 8]);
        assert.deepEqual([...groups], [0, 1, 2, 3]);
        for (const { sample, caption } of pairs) assert.equal(caption.text.split(" ")[0], sample.key);
      }
    }
    assert.notDeepEqual(keys(epochs[0] ?? []), keys(epochs[1] ?? []));
    const endings = new Set(
      epochs.flat().flatMap(({ pairs }) => pairs.map(({ caption }) => caption.text.at(-1))),
    );
    assert.deepEqual([...endings].sort(), ["a", "b"]);
  });
});

test("batches are the same with 0, 1 and 3 workers; a row holds its own picture", async (t) => {
  const mixture = await openMixture(await archives(t, "ab", 10));
  const run = (workers: number) => withLoader(mixture, { workers }, (loader) => take(loader, 7));
  const expected = await run(0);
  assert.deepEqual(await run(1), expected);
  assert.deepEqual(await run(3), expected);
  for (const { pairs, rows } of expected)
    for (const [i, { sample }] of pairs.entries()) {
      const red =
        (rows?.data[i * 3 * 64] ?? 0) * (clipPreprocess.std[0] ?? 1) + (clipPreprocess.mean[0] ?? 0);
      assert.ok(Math.abs(red * 255 - Number(sample.key)) < 4, `${sample.key}: ${red * 255}`);
    }
});

test("resuming after any step gives the very same batches, with workers and over the epoch's end", async (t) => {
  const mixture = await openMixture(await archives(t, "abc", 7), { upsamplingFactors: "1.5" });
  const whole = await withLoader(mixture, { workers: 2 }, (loader) => take(loader, 12));
  for (const [at, workers] of [
    [1, 0],
    [3, 0],
    [6, 0],
    [7, 0],
    [9, 0],
    [5, 3],
  ] as const) {
    const resume = JSON.parse(JSON.stringify(whole[at - 1]?.state)) as Batch["state"];
    const rest = await withLoader(mixture, { workers, resume }, (loader) => take(loader, 12 - at));
    assert.deepEqual(rest, whole.slice(at));
  }
});

test("a state of other data is refused", async (t) => {
  const folder = await archives(t, "ab", 4);
  const state = await withLoader(
    await openMixture(folder),
    {},
    async (loader) => (await loader.next()).state,
  );
  const other = await openMixture(join(folder, "a.tar"));
  await assert.rejects(
    withLoader(other, { resume: state }, (loader) => loader.next()),
    { code: "usage" },
  );
});

test("another seed gives another order; shuffle buffer 1 and one archive keep the archive's", async (t) => {
  const mixture = await openMixture(await archives(t, "a", 12));
  const order = (options: Options) =>
    withLoader(mixture, options, async (loader) => keys(await take(loader, 3)));
  assert.notDeepEqual(await order({ seed: 1 }), await order({ seed: 2 }));
  assert.deepEqual(
    await order({ shuffleBuffer: 1 }),
    Array.from({ length: 12 }, (_, n) => String(n)),
  );
});

test("broken pictures are skipped and named, batches stay full, for any number of workers", async (t) => {
  const folder = temporaryFolder(t);
  const files: Record<string, string | Uint8Array> = {};
  for (let n = 0; n < 14; n++) {
    const picture = await drawnPicture(n, "jpeg");
    files[`${n}.jpg`] = n === 3 ? "not a picture" : n === 8 ? picture.subarray(0, 200) : picture;
    if (n !== 5) files[`${n}.txt`] = String(n);
  }
  await writeTar(join(folder, "a.tar"), files);
  const mixture = await openMixture(join(folder, "a.tar"));
  const run = (workers: number, resume?: Batch["state"]) =>
    withLoader(mixture, { workers, ...(resume && { resume }) }, async (loader) => {
      const batches = await take(loader, 4);
      return {
        batches,
        skipped: loader.skips.list.map(({ key, reason }) => `${key}: ${reason}`).sort(),
        loader,
      };
    });
  const { batches, skipped, loader } = await run(0);
  assert.equal(new Set(keys(batches.slice(0, 2))).size, 8);
  assert.match(skipped.join("\n"), /^3: Not a picture.*\n5: it has no caption.*\n8: The JPEG is truncated/);
  assert.equal(loader.skips.count, 3);
  assert.match(loader.skips.summary(1), /^3 skipped:\n {2}.*a\.tar: \d: .*\n {2}… and 2 more$/);
  assert.deepEqual((await run(2)).batches, batches);
  const resumed = await run(1, batches[0]?.state);
  assert.deepEqual(resumed.batches.slice(0, 3), batches.slice(1));
});

test("of an archive cut in half the whole samples are used and the cut is reported once", async (t) => {
  const folder = await archives(t, "a", 12);
  const path = join(folder, "a.tar");
  truncateSync(path, Math.floor(readFileSync(path).length / 2));
  await withLoader(await openMixture(folder), {}, async (loader) => {
    const batches = await take(loader, 3);
    assert.deepEqual(
      batches.map((batch) => batch.epoch),
      [0, 1, 2],
    );
    const [damage, ...more] = loader.skips.list.filter(({ key }) => key === undefined);
    assert.match(damage?.reason ?? "", /^is cut at byte \d+, inside of "\d+\.(jpg|txt)"/);
    assert.deepEqual(more, []);
  });
});

test("a damaged header costs the samples around it only", async (t) => {
  const folder = await archives(t, "a", 10);
  const bytes = readFileSync(join(folder, "a.tar"));
  bytes.fill(7, bytes.indexOf("4.jpg"), bytes.indexOf("4.jpg") + 20);
  writeFileSync(join(folder, "a.tar"), bytes);
  await withLoader(await openMixture(folder), { batchSize: 9 }, async (loader) => {
    const read = keys([await loader.next()]);
    assert.deepEqual(
      read.map(Number).sort((a, b) => a - b),
      [0, 1, 2, 3, 5, 6, 7, 8, 9],
    );
    assert.deepEqual(
      loader.skips.list.map(({ key, reason }) => [key, reason.replace(/\d+/, "N")]),
      [
        [undefined, "has no tar header at byte N"],
        ["4", "it has no picture"],
      ],
    );
  });
});

test("nothing usable is an error that names what was wrong", async (t) => {
  const folder = temporaryFolder(t);
  await writeTar(join(folder, "a.tar"), { "1.jpg": "x", "1.txt": "a", "2.jpg": "y", "2.txt": "b" });
  await assert.rejects(
    withLoader(await openMixture(folder), {}, (loader) => loader.next()),
    {
      code: "input",
      message: /Nothing in the training data can be used\.\n2 skipped:[^]*: Not a picture/,
    },
  );
  writeFileSync(join(folder, "a.tar"), "this is no archive".repeat(100));
  await assert.rejects(
    withLoader(await openMixture(folder), {}, (loader) => loader.next()),
    /no tar header at byte 0/,
  );
});

test("fewer pairs than a batch are an error", async (t) => {
  const mixture = await openMixture(await archives(t, "a", 3));
  await assert.rejects(
    withLoader(mixture, {}, (loader) => loader.next()),
    /has 3 usable pairs; a batch needs 4/,
  );
});

test("an error inside of a worker reaches the consumer, and so does a wrong call", async (t) => {
  const mixture = await openMixture(await archives(t, "a", 8));
  for (const workers of [0, 2]) {
    const rows = openPictureRows({ preprocess: { ...clipPreprocess, size: -1 } }, workers);
    await assert.rejects(
      withLoader(mixture, { rows }, (loader) => loader.next()),
      /picture size of -1|whole pixels/,
    );
  }
});

test("a signal cancels, with reads under way; afterwards the loader stays closed", async (t) => {
  const mixture = await openMixture(await archives(t, "ab", 20));
  for (const workers of [0, 2]) {
    const stop = new AbortController();
    await withLoader(mixture, { workers, signal: stop.signal }, async (loader) => {
      await loader.next();
      const next = take(loader, 1000);
      stop.abort();
      await assert.rejects(next, { code: "cancelled" });
      await assert.rejects(loader.next(), { code: "cancelled" });
    });
  }
});

test("workers that are closed in the middle of their work end without harm, again and again", async (t) => {
  const mixture = await openMixture(await archives(t, "a", 30));
  for (let round = 0; round < 8; round++)
    await withLoader(mixture, { workers: 2, batchSize: 10 }, async (loader) => {
      const next = loader.next();
      if (round % 2 === 0) await loader.close();
      await next.catch((error: unknown) => assert.equal((error as { code?: string }).code, "cancelled"));
    });
});

test("leaving the loop closes the workers at once", async (t) => {
  const mixture = await openMixture(await archives(t, "ab", 20));
  const rows = openPictureRows(input, 2);
  for await (const batch of openLoader(mixture, { batchSize: 8, seed: 1, rows })) {
    assert.equal(batch.pairs.length, 8);
    break;
  }
  await assert.rejects(rows.read({ key: "", shard: "", image: { path: "", offset: 0 }, captions: [] }), {
    code: "cancelled",
  });
});

test("factors show samples more or less often than the others", async (t) => {
  const [a, b] = [await archives(t, "a", 40), await archives(t, "b", 40)];
  const mixture = await openMixture(`${a}::${b}`, { upsamplingFactors: "2::0.5" });
  const counts = async (epochs: number): Promise<[number, number]> =>
    withLoader(mixture, { batchSize: 1 }, async (loader) => {
      const seen: [number, number] = [0, 0];
      for (let batch = await loader.next(); batch.epoch < epochs; batch = await loader.next())
        seen[batch.pairs[0]?.sample.shard.startsWith(a) === true ? 0 : 1]++;
      return seen;
    });
  const [first, second] = await counts(6);
  assert.equal(first, 6 * 80);
  assert.ok(second > 6 * 14 && second < 6 * 26, `${second} of about 120`);
  await assert.rejects(openMixture(`${a}::${b}`, { upsamplingFactors: "2" }), { code: "usage" });
  await assert.rejects(openMixture(a, { upsamplingFactors: "x" }), { code: "usage" });
});

test("without a row reader batches hold pairs only", async (t) => {
  const mixture = await openMixture(await archives(t, "a", 8));
  const loader = openLoader(mixture, { batchSize: 4, seed: 1 });
  const batch = await loader.next();
  assert.equal(batch.rows, undefined);
  assert.equal(batch.pairs.length, 4);
  await loader.close();
});

test(
  "an epoch over real shards of two sources uses every picture",
  needsShared("data", "tinyimagenet-train-000001.tar"),
  async () => {
    const data = sharedPath("data") ?? "";
    const parts = ["flickr8k-val-000000.tar", "tinyimagenet-train-000001.tar"].map((name) =>
      join(data, name),
    );
    const mixture = await openMixture(parts.join("::"));
    const files = { classnames: join(data, "classnames.txt"), templates: join(data, "templates.en.txt") };
    const labels = [await readLabelSet(files)];
    await withLoader(
      mixture.map((part) => ({ ...part, labels })),
      { workers: 2, batchSize: 40 },
      async (loader) => {
        const batches = await take(loader, 49);
        assert.equal(new Set(keys(batches)).size, 49 * 40);
        assert.equal(batches.at(-1)?.epoch, 0);
        assert.equal(loader.skips.summary(), "");
        const sources = batches[0]?.pairs.map(({ className }) => className === undefined);
        assert.ok(sources?.includes(true) === true && sources.includes(false), "the first batch mixes both");
      },
    );
  },
);
