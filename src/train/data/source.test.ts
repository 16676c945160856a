import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import { drawnPicture, temporaryFolder, writeFiles, writeTar } from "../../../test/made-data.js";
import { openSource, type SourceOptions } from "./open-source.js";
import { readExtent, type Sample } from "./sample.js";
import type { Skip } from "./source.js";

/** What a source is asked to hold. */
interface Written {
  readonly key: string;
  readonly picture: Uint8Array;
  readonly captions: readonly string[];
}

/** Writes the items into the folder and returns the expression that opens them. */
type Write = (folder: string, items: readonly Written[]) => Promise<string>;

async function read(
  expression: string,
  options?: SourceOptions,
): Promise<{ samples: Sample[]; skips: Skip[] }> {
  const source = await openSource(expression, options);
  const samples: Sample[] = [];
  const skips: Skip[] = [];
  for (const shard of source.shards)
    for await (const sample of shard.samples((skip) => skips.push(skip))) samples.push(sample);
  return { samples, skips };
}

const texts = (sample: Sample): string[] => sample.captions.map((caption) => caption.text);

/** The contract of `Source`, for each kind of data set. */
function testSource(name: string, write: Write): void {
  describe(`source: ${name}`, () => {
    const open = async (
      t: TestContext,
      captions: (i: number) => string[] = (i) => [`number ${i}`, `nr ${i}`],
    ) => {
      const folder = temporaryFolder(t);
      const items = await Promise.all(
        [0, 1, 2, 3].map(async (i) => ({
          key: `p${i}`,
          picture: await drawnPicture(i),
          captions: captions(i),
        })),
      );
      return { items, folder, expression: await write(folder, items) };
    };

    test("holds every sample in order, with its picture's bytes and its captions", async (t) => {
      const { items, expression } = await open(t);
      const { samples, skips } = await read(expression);
      assert.deepEqual(skips, []);
      assert.deepEqual(
        samples.map((sample) => sample.key.replace(/\.png$/, "")),
        ["p0", "p1", "p2", "p3"],
      );
      assert.deepEqual(
        samples.map(texts),
        items.map((item) => item.captions),
      );
      for (const [i, sample] of samples.entries())
        assert.deepEqual(Buffer.from(readExtent(sample.image)), Buffer.from(items[i]?.picture ?? []));
    });

    test("reads the same again, also twice at once and after stopping early", async (t) => {
      const { expression } = await open(t);
      const source = await openSource(expression);
      for await (const _ of source.shards[0]?.samples(() => assert.fail()) ?? []) break;
      const [a, b] = await Promise.all([read(expression), read(expression)]);
      assert.deepEqual(a, b);
    });

    test("drops repeated and empty captions and the space around them", async (t) => {
      const { expression } = await open(t, () => [" a dog ", "a dog", "", "Собака. "]);
      const { samples } = await read(expression);
      assert.deepEqual(samples.map(texts), Array(4).fill(["a dog", "Собака."]));
    });

    test("names its shard in every sample", async (t) => {
      const { expression } = await open(t);
      const source = await openSource(expression);
      const { samples } = await read(expression);
      assert.deepEqual(
        [...new Set(samples.map((sample) => sample.shard))],
        source.shards.map((shard) => shard.name),
      );
    });

    test("a shard that is gone when it is read is one report", async (t) => {
      const { expression, folder } = await open(t);
      const source = await openSource(expression);
      rmSync(folder, { recursive: true });
      const skips: Skip[] = [];
      for await (const _ of source.shards[0]?.samples((skip) => skips.push(skip)) ?? []) assert.fail();
      assert.equal(skips.length, 1);
      assert.match(skips[0]?.reason ?? "", /does not exist/);
    });
  });
}

const pictureFiles = (items: readonly Written[]) =>
  Object.fromEntries(items.map((item) => [`${item.key}.png`, item.picture]));

testSource("WebDataset archive, captions in .json", async (folder, items) => {
  const files = items.flatMap(({ key, picture, captions }) => [
    [`${key}.png`, picture],
    [`${key}.json`, JSON.stringify({ captions })],
  ]);
  await writeTar(join(folder, "a.tar"), Object.fromEntries(files) as Record<string, string>);
  return join(folder, "a.tar");
});

testSource("WebDataset archive, captions in .txt", async (folder, items) => {
  const files = items.flatMap(({ key, picture, captions }) => [
    [`${key}.txt`, captions.join("\n")],
    [`${key}.png`, picture],
  ]);
  await writeTar(join(folder, "a.tar"), Object.fromEntries(files) as Record<string, string>);
  return join(folder, "a.tar");
});

for (const [ending, separator] of [
  ["csv", ","],
  ["tsv", "\t"],
] as const)
  testSource(`table (.${ending})`, async (folder, items) => {
    const rows = items.flatMap(({ key, captions }) =>
      captions.map((text) => `${key}.png${separator}"${text}"`),
    );
    const table = [`filepath${separator}title`, ...rows].join("\n");
    writeFiles(folder, { ...pictureFiles(items), [`list.${ending}`]: table });
    return join(folder, `list.${ending}`);
  });

testSource("JSON lines", async (folder, items) => {
  const lines = items.map(({ key, captions }) => JSON.stringify({ key, image: `${key}.png`, captions }));
  writeFiles(folder, { ...pictureFiles(items), "list.jsonl": lines.join("\n") });
  return join(folder, "list.jsonl");
});

testSource("folder of pictures with texts", async (folder, items) => {
  const sidecars = Object.fromEntries(items.map(({ key, captions }) => [`${key}.txt`, captions.join("\n")]));
  writeFiles(join(folder, "data"), { ...pictureFiles(items), ...sidecars });
  return join(folder, "data");
});

test("a folder of folders is classes, numbered by name", async (t) => {
  const folder = temporaryFolder(t);
  const picture = await drawnPicture(1);
  writeFiles(folder, {
    "red_fox/b.png": picture,
    "ant/a.png": picture,
    "red_fox/deep/c.png": picture,
    "notes.md": "",
  });
  const { samples } = await read(folder);
  assert.deepEqual(
    samples.map(({ key, label, className }) => [key, label, className]),
    [
      ["ant/a", 0, "ant"],
      ["red_fox/b", 1, "red fox"],
      ["red_fox/deep/c", 1, "red fox"],
    ],
  );
});

test("a table in a folder is its list unless pictures lie beside it; metadata.jsonl always is", async (t) => {
  const folder = temporaryFolder(t);
  const picture = await drawnPicture(1);
  const found = async (name: string) => (await read(join(folder, name))).samples.map(({ key }) => key);
  writeFiles(folder, { "a/l.csv": "filepath,title\nin/1.png,x\n", "a/in/1.png": picture });
  writeFiles(folder, { "b/costs.csv": "a,b\n1,2\n", "b/2.png": picture });
  writeFiles(folder, {
    "c/metadata.jsonl": '{"file_name":"3.png","text":"x"}',
    "c/3.png": picture,
    "c/4.png": picture,
  });
  assert.deepEqual(await found("a"), ["in/1.png"]);
  assert.deepEqual(await found("b"), ["2"]);
  assert.deepEqual(await found("c"), ["3.png"]);
});

test("class numbers are read; what cannot be used of an archive is named", async (t) => {
  const path = join(temporaryFolder(t), "x.tar");
  const picture = await drawnPicture(1, "webp");
  await writeTar(path, {
    "train/a.webp": picture,
    "train/a.cls": "7",
    "b.webp": picture,
    "b.cls": "cat",
    "c.txt": "no picture",
    "d.seg.webp": picture,
    "e.webp": picture,
    "e.json": "{",
  });
  const { samples, skips } = await read(path);
  assert.deepEqual(
    samples.map(({ key, label }) => [key, label]),
    [["train/a", 7]],
  );
  assert.deepEqual(skips, [
    { shard: path, key: "b", reason: 'its .cls is "cat", not a class number' },
    { shard: path, key: "c", reason: "it has no picture" },
    { shard: path, key: "d", reason: "it has no picture" },
    { shard: path, key: "e", reason: "its .json is not a JSON object" },
  ]);
});

test("a table with other columns says which it has", async (t) => {
  const folder = temporaryFolder(t);
  writeFiles(folder, { "t.csv": "image;text\na.png;one\n", "a.png": await drawnPicture(1) });
  await assert.rejects(
    read(join(folder, "t.csv")),
    /has the columns "image;text", none is called "filepath"/,
  );
  const named = { csvImgKey: "image", csvCaptionKey: "text", csvSeparator: ";" };
  const { samples } = await read(join(folder, "t.csv"), named);
  assert.deepEqual(samples.map(texts), [["one"]]);
});

test("broken lines of lists are named by their number", async (t) => {
  const folder = temporaryFolder(t);
  writeFiles(folder, {
    "t.csv": 'filepath,title\na.png,one\nb.png,two,three\nc.png,"four"\n',
    "l.jsonl": '{"image":"a.png"}\n\nnonsense\n{"caption":"x"}\n',
  });
  const table = await read(join(folder, "t.csv"));
  assert.deepEqual(table.samples.map(texts), [["one"], ["four"]]);
  assert.deepEqual(
    table.skips.map(({ key }) => key),
    ["line 3"],
  );
  const lines = await read(join(folder, "l.jsonl"));
  assert.equal(lines.samples.length, 1);
  assert.deepEqual(
    lines.skips.map(({ key }) => key),
    ["line 3", "line 4"],
  );
});

test("captions of a side file are joined by key, with their languages", async (t) => {
  const folder = temporaryFolder(t);
  const picture = await drawnPicture(1);
  await writeTar(join(folder, "a.tar"), {
    "x/p1.png": picture,
    "x/p1.txt": "a dog",
    "p2.png": picture,
    "p2.txt": "a cat",
  });
  const lines = [
    '{"key":"p1","split":"train","de":"ein Hund","zh":["狗","一只狗"],"zh_translated":["x"],"en":"a dog"}',
  ];
  writeFiles(folder, { "c.jsonl.gz": gzipSync(lines.join("\n")) });
  const { samples } = await read(join(folder, "a.tar"), {
    language: "en",
    captions: [join(folder, "c.jsonl.gz")],
  });
  assert.deepEqual(
    samples.map(({ captions }) => captions),
    [
      [
        { language: "en", text: "a dog" },
        { language: "de", text: "ein Hund" },
        { language: "zh", text: "狗" },
        { language: "zh", text: "一只狗" },
      ],
      [{ language: "en", text: "a cat" }],
    ].map((list) => list.map(({ text, language }) => ({ text, language }))),
  );
});

test("folders of archives, CLIP_benchmark's layout, globs and braces are found", async (t) => {
  const folder = temporaryFolder(t);
  const picture = await drawnPicture(1);
  for (const name of ["test/0", "test/1", "s/b", "s/a", "s/00", "s/01"])
    await writeTar(join(folder, `${name}.tar`), { "p.png": picture, "p.txt": name });
  writeFiles(folder, { "test/nshards.txt": "2\n" });
  mkdirSync(join(folder, "empty"));
  const found = async (expression: string) => (await read(join(folder, expression))).samples.flatMap(texts);
  assert.deepEqual(await found(""), ["test/0", "test/1"]);
  assert.deepEqual(await found("test"), ["test/0", "test/1"]);
  assert.deepEqual(await found("s"), ["s/00", "s/01", "s/a", "s/b"]);
  assert.deepEqual(await found("s/?.tar"), ["s/a", "s/b"]);
  assert.deepEqual(await found("s/{01..00}.tar"), ["s/01", "s/00"]);
  assert.deepEqual(await found("{test/1,s/a}.tar"), ["test/1", "s/a"]);
  await assert.rejects(openSource(join(folder, "empty")), { code: "input", message: /is empty/ });
  await assert.rejects(openSource(join(folder, "nothing.tar")), { code: "missing" });
  await assert.rejects(openSource(join(folder, "no*.tar")), { code: "missing" });
  writeFiles(folder, { "x.tar.gz": "" });
  await assert.rejects(openSource(join(folder, "x.tar.gz")), { code: "unsupported" });
});

test("bytes beyond the end of a file are an error", async (t) => {
  const folder = temporaryFolder(t);
  writeFiles(folder, { a: "12345" });
  assert.deepEqual(
    Buffer.from(readExtent({ path: join(folder, "a"), offset: 1, size: 3 })),
    Buffer.from("234"),
  );
  assert.deepEqual(
    Buffer.from(readExtent({ path: join(folder, "a"), offset: 2 })),
    readFileSync(join(folder, "a")).subarray(2),
  );
  assert.throws(() => readExtent({ path: join(folder, "a"), offset: 3, size: 3 }), { code: "format" });
  assert.throws(() => readExtent({ path: join(folder, "b"), offset: 0 }), { code: "missing" });
});
