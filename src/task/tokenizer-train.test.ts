import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { clipt } from "../../test/command-line.js";
import { drawnPicture, temporaryFolder, writeFiles, writeTar } from "../../test/made-data.js";
import { openTokenizer } from "../input/text/index.js";
import { CliptError } from "../tensor/index.js";
import { tokenizerTrain } from "./tokenizer-train.js";
import type { TaskEvent } from "./task.js";

test("texts, tables, archives and side files become a vocabulary that knows their words", async (t) => {
  const root = temporaryFolder(t);
  const at = (name: string) => join(root, name);
  writeFiles(root, {
    "lines.txt": "A zebra stands.\r\n\nA zebra sleeps.\n",
    "table.csv": "filepath,title\na.png,a yellow bicycle\na.png,one bicycle\n",
    "more.jsonl":
      '{"key":"p1","ru":"собака бежит"}\n{"key":"p2","ru":"собака спит"}\n{"key":"no","ru":"кит"}\n',
  });
  const picture = await drawnPicture(1);
  await writeTar(at("pairs.tar"), {
    "p1.png": picture,
    "p1.txt": "the giraffe",
    "p2.png": picture,
    "p2.json": '{"captions": ["a giraffe", "GIRAFFE &amp; tree"]}',
  });
  const result = await tokenizerTrain({
    texts: ["lines.txt", "table.csv", "pairs.tar"].map(at),
    captions: [at("more.jsonl")],
    vocabSize: 600,
    out: at("new/folder"),
  });
  assert.equal(result.texts, 9);

  const files = Object.fromEntries(
    readdirSync(at("new/folder")).map((name) => [name, readFileSync(at(join("new/folder", name)))]),
  );
  assert.deepEqual(Object.keys(files), ["merges.txt", "tokenizer.json", "vocab.json"]);
  const { "tokenizer.json": json, ...pair } = files;
  const [one, two] = [{ "tokenizer.json": json! }, pair].map((some) =>
    openTokenizer(some, { cleaning: "clip", frame: { context: 32 } }),
  );
  assert.equal(one!.vocabSize, result.tokens);
  for (const word of ["zebra", "bicycle", "Giraffe", "собака"]) {
    // Start, one piece, end.
    assert.equal(one!.encode(word).ids.length, 3, word);
    assert.deepEqual(two!.encode(word), one!.encode(word));
  }
  assert.ok(one!.encode("кит").ids.length > 3, "captions of other pictures do not count");
});

test("too few texts for the vocabulary are a warning, none at all an error", async (t) => {
  const root = temporaryFolder(t);
  writeFiles(root, { "one.txt": "aa aa\n", "none.txt": "\n" });
  const events: TaskEvent[] = [];
  const { tokens } = await tokenizerTrain(
    { texts: [join(root, "one.txt")], vocabSize: 1000, out: join(root, "out") },
    { emit: (event) => events.push(event) },
  );
  assert.equal(tokens, 515);
  assert.match(
    events.map((event) => (event.kind === "warning" ? event.message : "")).join(),
    /515 tokens only/,
  );
  await assert.rejects(
    tokenizerTrain({ texts: [join(root, "none.txt")], out: join(root, "out") }),
    (error) =>
      error instanceof CliptError && error.code === "input" && /there is no text/.test(error.message),
  );
});

test("by its command; a vocabulary without room for the bytes is refused", async (t) => {
  const root = temporaryFolder(t);
  writeFiles(root, { "texts.txt": "aa aa bb bb\n" });
  const [texts, out] = [join(root, "texts.txt"), join(root, "out")];
  const { status, out: said } = await clipt([
    ...["tokenizer", "train", texts, "--vocab-size", "516", "--out", out, "--json"],
  ]);
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(said), { out, tokens: 516, texts: 1 });
  const idle = ["--captions", "captions.jsonl", "--out", out];
  assert.match((await clipt(["tokenizer", "train", texts, ...idle])).err, /captions: belong to pictures/);
  const refused = await clipt(["tokenizer", "train", texts, "--vocab-size", "100", "--out", out]);
  assert.equal(refused.status, 2);
  assert.match(refused.err, /--vocab-size: .*514/);
});
