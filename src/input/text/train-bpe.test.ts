import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { HubTokenizer } from "./hub-library.js";
import fc from "fast-check";
import { anyString } from "../../../test/any-string.js";
import { needsShared, sharedPath } from "../../../test/shared.js";
import { bpe, clipTokenizer } from "./bpe.js";
import { readBpeTokenizerJson, readVocabAndMerges, type BpeTokenizerJson } from "./bpe-vocabulary.js";
import { cleanings } from "./clean/clean.js";
import { trainBpe } from "./train-bpe.js";
import { toMergesTxt, toTokenizerJson, toVocabJson } from "./write-bpe.js";

const texts = [
  "Собака бежит по глубокому снегу, а кошка спит.",
  "Собаки бегут по снегу; кошки спят и видят сны.",
  "A dog is running through deep snow, and the cat isn't amused.",
  "The dogs run through the snow while the cats are sleeping.",
  "一只狗在雪地里奔跑。一只猫在睡觉。",
  "Ein Hund läuft durch den tiefen Schnee, die Katze schläft.",
  "Un chien court dans la neige profonde, le chat dort à côté.",
];
const vocabulary = trainBpe(texts, { vocabSize: 640, minFrequency: 1 });

test("the most frequent pair first, equally frequent ones by spelling", () => {
  const { merges } = trainBpe(["ab ab ab cd cd cd ef"], { vocabSize: 600, minFrequency: 1 });
  assert.deepEqual(merges, [
    ["a", "b</w>"],
    ["c", "d</w>"],
    ["e", "f</w>"],
  ]);
});

test("a pair that overlaps itself is counted as often as it can be merged next", () => {
  const { merges } = trainBpe(["aaaab aaaab"], { vocabSize: 600 });
  assert.deepEqual(merges.slice(0, 2), [
    ["a", "a"],
    ["aa", "aa"],
  ]);
});

test("the order of the texts does not matter, no token occurs twice", () => {
  assert.deepEqual(trainBpe([...texts].reverse(), { vocabSize: 640, minFrequency: 1 }), vocabulary);
  assert.equal(new Set(vocabulary.tokens).size, vocabulary.tokens.length);
  assert.equal(vocabulary.tokens.length, 640);
});

test(
  "the reference's trainer learns the same merges",
  needsShared("reference/hf-clip-tiny/merges.txt"),
  () => {
    const variant = JSON.parse(readFileSync(sharedPath("reference/variant-visible.json")!, "utf8")) as {
      corpus: string[];
      hf_clip: { tokens: number };
    };
    const trained = trainBpe(variant.corpus, {
      vocabSize: variant.hf_clip.tokens,
      cleaning: "clip",
      minFrequency: 1,
    });
    assert.equal(
      toMergesTxt(trained),
      readFileSync(sharedPath("reference/hf-clip-tiny/merges.txt")!, "utf8"),
    );
  },
);

test("too small a vocabulary is refused", () => {
  assert.throws(() => trainBpe(texts, { vocabSize: 500 }), /500 tokens is too small/);
});

test("files in Hugging Face's layout read back as the same vocabulary", () => {
  const json = JSON.parse(JSON.stringify(toTokenizerJson(vocabulary))) as BpeTokenizerJson;
  assert.deepEqual(readBpeTokenizerJson(json), vocabulary);
  assert.deepEqual(readVocabAndMerges(toVocabJson(vocabulary), toMergesTxt(vocabulary)), vocabulary);
});

test("Hugging Face's tokenizers give the same ids", () => {
  const hub = new HubTokenizer(JSON.parse(JSON.stringify(toTokenizerJson(vocabulary))) as object, {});
  const ours = clipTokenizer(vocabulary);
  const more = ["Снег: 2026 год! it's 100% ok", "don't_stop 12:30 <|endoftext|> 雪", "", "!!! ... ?"];
  for (const text of [...texts, ...more])
    assert.deepEqual(hub.encode(cleanings.lower(text)).ids, [...ours.encode(text).ids], text);
});

test("ids → text → ids is exact for any clean text", () => {
  const model = bpe(vocabulary);
  const letters = fc.string({ unit: fc.constantFrom(..."собака dog雪 é!'’s1_<|>endoftext\u0345ſ") });
  fc.assert(
    fc.property(fc.oneof(letters, anyString), (text) => {
      const ids = model.encode(text);
      assert.deepEqual(model.encode(model.decode(ids)), ids);
    }),
  );
});
