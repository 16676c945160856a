import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { packageRoot } from "../../package-root.js";
import { cutUnigram } from "./cut-unigram.js";
import { sentencePiece } from "./sentencepiece.js";
import { readSentencePieceModel } from "./sentencepiece-model.js";
import { sentencePieceTokenizer, siglipFrame, useFrame } from "./sentencepiece-tokenizer.js";
import { readUnigramJson, toUnigramJson, type UnigramTokenizerJson } from "./unigram-json.js";

const model = readSentencePieceModel(readFileSync(join(packageRoot, "test/fixtures/text/tiny.model")));
const texts = ["a dog runs through the snow", "собака бежит", "一只狗", "Ａ½ <pic> 😀", ""];

test("a text whose pieces stay keeps them, another is cut smaller", () => {
  const whole = sentencePiece(model);
  const th = model.pieces.findIndex(({ piece }) => piece === "▁th");
  const { model: small, keptIds } = cutUnigram(model, (_, id) => id !== th);
  const cut = sentencePiece(small);
  const pieces = (ids: readonly number[]) => ids.map((id) => small.pieces[id]!.piece);
  for (const text of texts) {
    const before = whole.encode(text);
    const after = cut.encode(text).map((id) => keptIds[id]);
    if (before.includes(th)) assert.ok(after.length > before.length);
    else assert.deepEqual(after, before);
  }
  assert.deepEqual(pieces(cut.encode("the")), ["▁", "th", "e"]);
  assert.equal(small.unknown, 0);
});

test("unknown and control pieces stay, and something must be left", () => {
  const { keptIds } = cutUnigram(model, ({ type }) => type === "normal");
  assert.deepEqual([...keptIds.subarray(0, 3)], [0, 1, 2]);
  assert.throws(() => cutUnigram(model, () => false), { code: "usage" });
});

test("tokenizer.json holds the whole model", () => {
  const json = JSON.parse(JSON.stringify(toUnigramJson(model))) as UnigramTokenizerJson;
  const back = readUnigramJson(json);
  assert.deepEqual(back.pieces, model.pieces);
  assert.deepEqual(back.normalizer, model.normalizer);
  assert.deepEqual([back.unknown, back.start, back.end], [model.unknown, model.start, model.end]);
});

test("rows: the Universal Sentence Encoder's and SigLIP's", () => {
  const use = sentencePieceTokenizer(model, { frame: useFrame(model) });
  const { ids, shape } = use.batch(["", "a dog"]);
  assert.deepEqual([...ids.subarray(0, 2)], [1, 2]);
  assert.equal(shape[1], use.encode("a dog").ids.length);
  assert.equal(use.decode(use.encode("a dog runs").ids), "a dog runs");
  const siglip = sentencePieceTokenizer(model, { frame: siglipFrame(2, 5), cleaning: "canonicalize" });
  assert.deepEqual([...siglip.batch([""]).ids], [2, 2, 2, 2, 2]);
  assert.deepEqual(siglip.encode("A_dog!"), siglip.encode("a dog"));
  assert.equal(siglip.encode("a dog runs through the deep snow").ids.at(-1), 2);
});
