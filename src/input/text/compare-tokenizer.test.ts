import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { needsShared, sharedPath } from "../../../test/shared.js";
import { compareTokenizer, type TokenizerReference } from "./compare-tokenizer.js";
import { openTokenizer, type TokenizerFiles } from "./open-tokenizer.js";
import { trainBpe } from "./train-bpe.js";
import { toMergesTxt, toTokenizerJson, toVocabJson } from "./write-bpe.js";

const reference = (name: string) =>
  JSON.parse(readFileSync(sharedPath("reference", name)!, "utf8")) as TokenizerReference;

const folder = (name: string): TokenizerFiles => {
  const path = sharedPath("reference", name)!;
  const small = readdirSync(path).filter((file) => /\.(json|txt|model)$/.test(file));
  return Object.fromEntries(small.map((file) => [file, readFileSync(join(path, file))]));
};

test("CLIP's published vocabulary agrees with its goldens", needsShared("reference/clip_bpe.json"), () => {
  const vocabulary = gunzipSync(readFileSync(sharedPath("reference/bpe_simple_vocab_16e6.txt.gz")!));
  const report = compareTokenizer({ "vocabulary.txt": vocabulary }, reference("clip_bpe.json"));
  assert.deepEqual(report.different, []);
  assert.equal(report.fields.ids, reference("clip_bpe.json").texts.length);
});

for (const [name, field] of [
  ["hf-siglip-tiny", "siglip_slow"],
  ["hf-siglip-tiny", "siglip_fast"],
  ["hf-siglip2-tiny", "siglip2_fast"],
  ["openclip-siglip-tiny", "open_clip"],
  ["hf-clip-tiny", "hf_clip_fast"],
] as const)
  test(`${name} agrees on ${field}`, needsShared("reference", name), () => {
    const report = compareTokenizer(folder(name), reference("siglip_tokens.json"));
    assert.deepEqual(report.different, []);
    assert.equal(report.fields[field], reference("siglip_tokens.json").texts.length);
  });

const vocabulary = trainBpe(["a dog and a cat, a dog and a bird"], { vocabSize: 530 });
const files: TokenizerFiles = Object.fromEntries(
  Object.entries({
    "tokenizer.json": JSON.stringify(toTokenizerJson(vocabulary)),
    "tokenizer_config.json":
      '{"tokenizer_class": "CLIPTokenizer", "pad_token": "<|endoftext|>", "model_max_length": 16}',
    "vocab.json": toVocabJson(vocabulary),
    "merges.txt": toMergesTxt(vocabulary),
  }).map(([name, text]) => [name, new TextEncoder().encode(text)]),
);

test("a difference is counted and shown, not thrown", () => {
  const tokenizer = openTokenizer(files);
  const right = [...tokenizer.encode("a dog").ids, tokenizer.identity().frame.pad];
  const texts = [
    { text: "a dog", hf_clip_fast: right.slice(0, -1) },
    { text: "a cat", hf_clip_fast: [1, 2, 3] },
  ];
  const report = compareTokenizer(files, { context: { hf_clip: 16 }, texts });
  assert.equal(report.ok, false);
  assert.deepEqual([report.compared, report.differences], [2, 1]);
  assert.deepEqual(report.different[0]?.expected, [1, 2, 3]);
  assert.throws(() => compareTokenizer(files, { texts: [{ text: "a" }] }), { code: "missing" });
});

test("one vocabulary, whichever files hold it", () => {
  const { "tokenizer.json": json, ...pair } = files;
  const ids = openTokenizer(files).encode("A dog, a bird").ids;
  assert.deepEqual(openTokenizer(pair).encode("A dog, a bird").ids, ids);
  assert.deepEqual(
    openTokenizer({ "tokenizer.json": json! }, { cleaning: "lower" }).encode("A dog, a bird").ids,
    ids,
  );
  assert.throws(() => openTokenizer({}), { code: "missing" });
});
