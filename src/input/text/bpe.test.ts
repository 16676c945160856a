import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { anyString } from "../../../test/any-string.js";
import { needsShared, sharedPath } from "../../../test/shared.js";
import { bpe, clipTokenizer } from "./bpe.js";
import { numberTokens, readClipVocabulary, readVocabAndMerges, type Spelling } from "./bpe-vocabulary.js";
import { cleanings } from "./clean/clean.js";

const published = (spelling: Spelling) =>
  readClipVocabulary(
    gunzipSync(readFileSync(sharedPath("reference/bpe_simple_vocab_16e6.txt.gz")!)).toString("utf8"),
    { spelling },
  );

interface Golden {
  readonly texts: readonly {
    text: string;
    clean: string;
    ids: number[];
    length: number;
    decoded: string;
    open_clip_ids?: number[];
    open_clip_decoded?: string;
    open_clip_ids_context_16?: number[];
  }[];
}

test(
  "ids, lengths and texts of the published CLIP tokenizers",
  needsShared("reference/clip_bpe.json"),
  () => {
    const { texts } = JSON.parse(readFileSync(sharedPath("reference/clip_bpe.json")!, "utf8")) as Golden;
    const model = bpe(published("openai"));
    const openai = clipTokenizer(published("openai"));
    const openclip = clipTokenizer(published("openclip"));
    for (const row of texts) {
      const { ids, truncatedFrom } = openai.encode(row.text);
      assert.deepEqual(ids, row.ids, row.text);
      assert.equal(truncatedFrom ?? ids.length, row.length, row.text);
      assert.equal(cleanings.clip(row.text), row.clean);
      assert.equal(model.decode(model.encode(row.clean).slice(0, 75)), row.decoded);
      assert.deepEqual(openclip.encode(row.text).ids, row.open_clip_ids ?? row.ids, row.text);
      if (row.open_clip_ids_context_16 !== undefined)
        assert.deepEqual(openclip.encode(row.text, 16).ids, row.open_clip_ids_context_16, row.text);
    }
  },
);

const small = numberTokens([
  ["t", "h"],
  ["th", "e</w>"],
  ["a", "a"],
  ["aa", "a"],
]);

test("pairs merge by rank, equal pairs from the left", () => {
  const { encode } = bpe(small);
  const spelled = (text: string) => encode(text).map((id) => small.tokens[id]);
  assert.deepEqual(spelled("the th"), ["the</w>", "t", "h</w>"]);
  assert.deepEqual(spelled("aaaaa"), ["aa", "aa", "a</w>"]);
  assert.deepEqual(spelled("aaaab"), ["aa", "aa", "b</w>"]);
});

test("a batch is padded to the context or to its longest row, and says what it cut", () => {
  const tokenizer = clipTokenizer(small, { context: 6 });
  const [start, end] = [small.tokens.length - 2, small.tokens.length - 1];
  const the = small.tokens.indexOf("the</w>");
  const full = tokenizer.batch(["the", "the the the the the the"]);
  assert.deepEqual(full.shape, [2, 6]);
  assert.deepEqual([...full.ids], [start, the, end, 0, 0, 0, start, the, the, the, the, end]);
  assert.deepEqual([...full.lengths], [3, 6]);
  assert.deepEqual(full.truncated, [1]);
  const cut = tokenizer.batch(["the", "the the"], { padTo: "longest" });
  assert.deepEqual([...cut.ids], [start, the, end, 0, start, the, the, end]);
  assert.deepEqual(tokenizer.batch([]).shape, [0, 6]);
  const padded = clipTokenizer(small, { context: 5, pad: "end" });
  assert.deepEqual([...padded.batch(["the"]).ids], [start, the, end, end, end]);
  assert.equal(padded.decode(padded.batch(["the the"]).ids), "the the");
});

test("the id 0 is padding after the end and an exclamation mark before it", () => {
  const tokenizer = clipTokenizer(small);
  assert.equal(tokenizer.decode(tokenizer.batch(["hm !"]).ids), "hm !");
});

test("special tokens count only in the vocabulary's own spelling", () => {
  const end = small.tokens.length - 1;
  assert.deepEqual(bpe(small).encode("<|endoftext|>"), [end]);
  assert.ok(!bpe(numberTokens(small.merges, "openclip")).encode("<|endoftext|>").includes(end));
  assert.deepEqual(bpe(numberTokens(small.merges, "openclip")).encode("<end_of_text>"), [end]);
});

test("vocab.json with merges.txt is the same vocabulary", () => {
  const vocab = Object.fromEntries(small.tokens.map((token, id) => [token, id]));
  const merges = `#version: 0.2\n${small.merges.map((pair) => pair.join(" ")).join("\n")}\n`;
  assert.deepEqual(readVocabAndMerges(JSON.stringify(vocab), merges), small);
});

test("broken vocabularies are refused with their line or token", () => {
  assert.throws(() => readClipVocabulary("#version\na b\na b c\n"), /Line 3 of the merges/);
  assert.throws(() => readVocabAndMerges('{"a": 0, "b": 2}', ""), /id 1/);
  assert.throws(() => bpe({ ...small, merges: [["x", "y"]] }), /lacks "xy"/);
});

test("any string round-trips through its ids and nothing throws", () => {
  const tokenizer = clipTokenizer(small);
  const model = bpe(small);
  const words = (s: string) =>
    s.replace(/[\ud800-\udfff]/gu, "\ufffd").replace(/[\p{White_Space}\u0345]+/gu, "");
  fc.assert(
    fc.property(anyString, (text) => {
      assert.equal(words(model.decode(model.encode(text))), words(text));
      assert.ok(tokenizer.encode(text, 10_000).ids.length >= 2);
    }),
  );
});

test("a text of 10,000 words and a word of 100,000 letters take no time to speak of", () => {
  const tokenizer = clipTokenizer(small);
  const start = performance.now();
  assert.equal(tokenizer.encode("the ".repeat(10_000)).truncatedFrom, 10_002);
  tokenizer.encode("tha".repeat(33_333));
  assert.ok(performance.now() - start < 3000);
});

test("equal vocabularies and rules have equal identities", () => {
  const identity = JSON.stringify(clipTokenizer(small).identity());
  assert.equal(JSON.stringify(clipTokenizer(numberTokens(small.merges)).identity()), identity);
  assert.notEqual(JSON.stringify(clipTokenizer(small, { context: 32 }).identity()), identity);
  assert.match(identity, /"vocabulary":"[0-9a-f]{64}"/);
});
