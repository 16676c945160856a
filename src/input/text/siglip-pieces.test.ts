import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { needsShared, sharedPath } from "../../../test/shared.js";
import { openTokenizer, type TokenizerFiles } from "./open-tokenizer.js";

// Ids of transformers 5.23's SiglipTokenizer and of the tokenizer.json beside it.
const rows: readonly (readonly [text: string, slow: readonly number[], fast: readonly number[]])[] = [
  ["a</s>b", [5, 1, 199, 1], [5, 1, 51, 1]],
  ["</s>a photo", [1, 10, 3, 12, 11, 1], [1, 5, 3, 12, 11, 1]],
  ["a photo</s>", [5, 3, 12, 11, 1], [5, 3, 12, 11, 1, 1]],
  ["<unk> cat </s> dog", [2, 229, 10, 28, 1, 50, 30, 26, 1], [2, 95, 1, 64, 1]],
  ["</S>x", [48, 381, 1], [48, 381, 1]],
  ["\u2581 a", [5, 1], [5, 1]],
];

test(
  "special tokens that stand in a text are found by SigLIP's two tokenizers",
  needsShared("reference"),
  () => {
    const file = (name: string): [string, Uint8Array] => [
      name,
      readFileSync(join(sharedPath("reference", "hf-siglip-tiny")!, name)),
    ];
    const open = (...names: string[]) => {
      const files: TokenizerFiles = Object.fromEntries(names.map(file));
      return openTokenizer(files);
    };
    const [slow, fast] = [
      open("spiece.model", "tokenizer.json", "tokenizer_config.json"),
      open("tokenizer.json", "tokenizer_config.json"),
    ];
    for (const [text, slowIds, fastIds] of rows) {
      assert.deepEqual(slow.encode(text).ids, slowIds, JSON.stringify(text));
      assert.deepEqual(fast.encode(text).ids, fastIds, JSON.stringify(text));
    }
  },
);
