import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { anyString } from "../../../test/any-string.js";
import { needsShared, sharedPath } from "../../../test/shared.js";
import { packageRoot } from "../../package-root.js";
import { sentencePiece } from "./sentencepiece.js";
import { readSentencePieceModel } from "./sentencepiece-model.js";

const fixture = (name: string) => readFileSync(join(packageRoot, "test/fixtures/text", name));
const model = readSentencePieceModel(fixture("tiny.model"));

interface Rows {
  readonly rows: readonly { text: string; ids: number[]; decoded: string }[];
}

test("ids and texts of Python's sentencepiece: rules, unknowns, symbols of the user's own, spaces", () => {
  const { rows } = JSON.parse(fixture("tiny.model.json").toString()) as Rows;
  const { encode, decode } = sentencePiece(model);
  for (const { text, ids, decoded } of rows) {
    assert.deepEqual(encode(text), ids, JSON.stringify(text));
    assert.equal(decode(ids), decoded, JSON.stringify(text));
  }
});

test("ids of SigLIP's own kind of model", needsShared("reference/hf-siglip-tiny/spiece.model"), () => {
  const { encode } = sentencePiece(
    readSentencePieceModel(readFileSync(sharedPath("reference/hf-siglip-tiny/spiece.model")!)),
  );
  const { texts } = JSON.parse(readFileSync(sharedPath("reference/siglip_tokens.json")!, "utf8")) as {
    texts: readonly { canonical_open_clip: string; sentencepiece_raw: number[] }[];
  };
  for (const row of texts)
    assert.deepEqual(encode(row.canonical_open_clip), row.sentencepiece_raw, row.canonical_open_clip);
});

test("any string has ids, and the ids of its decoding are the same", () => {
  const { encode, decode } = sentencePiece(model);
  fc.assert(
    fc.property(anyString, (text) => {
      const ids = encode(text);
      if (!ids.includes(model.unknown)) assert.deepEqual(encode(decode(ids)), ids);
    }),
  );
});

test("10,000 words take no time to speak of", () => {
  const { encode } = sentencePiece(model);
  const start = performance.now();
  assert.ok(encode("the brown dog ".repeat(3334)).length > 10_000);
  assert.ok(performance.now() - start < 3000);
});

test("other files are refused", () => {
  const format = { code: "format" };
  assert.throws(() => readSentencePieceModel(new Uint8Array()), format);
  assert.throws(() => readSentencePieceModel(new TextEncoder().encode("not a model at all")), format);
  assert.throws(() => readSentencePieceModel(fixture("tiny.model").subarray(0, 999)), format);
});
