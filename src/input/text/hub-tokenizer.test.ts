import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { anyString } from "../../../test/any-string.js";
import { packageRoot } from "../../package-root.js";
import { hubTokenizer, type TokenizerConfig, type TokenizerJson } from "./hub-tokenizer.js";
import { openTokenizer } from "./open-tokenizer.js";

interface Fixture {
  readonly tokenizers: readonly {
    name: string;
    tokenizer: TokenizerJson;
    config: TokenizerConfig;
    rows: readonly { text: string; ids: number[] }[];
  }[];
}

const { tokenizers } = JSON.parse(
  readFileSync(join(packageRoot, "test/fixtures/text/tokenizer-json.json"), "utf8"),
) as Fixture;

for (const { name, tokenizer, config, rows } of tokenizers)
  test(`${name}: ids of the Rust tokenizers`, () => {
    const ours = hubTokenizer(tokenizer, config);
    for (const { text, ids } of rows)
      assert.deepEqual(ours.encode(text, Infinity).ids, ids, JSON.stringify(text));
  });

test("cut and padding follow the folder's tokenizer_config.json", () => {
  const { tokenizer, config } = tokenizers[0]!;
  const bert = hubTokenizer(tokenizer, config);
  const { ids, shape, truncated } = bert.batch(["a dog", "a a a a a a a a a"]);
  assert.deepEqual(shape, [2, 8]);
  assert.deepEqual([...ids], [2, 5, 6, 3, 0, 0, 0, 0, 2, 5, 5, 5, 5, 5, 5, 3]);
  assert.deepEqual(truncated, [1]);
  assert.equal(bert.decode(ids.subarray(0, 8)), "a dog");
  assert.equal(hubTokenizer(tokenizer, config, { frame: { context: 4 } }).contextLength, 4);
});

test("no string throws", () => {
  for (const { tokenizer, config } of tokenizers) {
    const ours = hubTokenizer(tokenizer, config);
    fc.assert(fc.property(anyString, (text) => ours.encode(text).ids.length <= 512));
  }
});

test("a file that is no tokenizer is refused", () => {
  assert.throws(() => hubTokenizer({}), { code: "format" });
});

test("strip_sep_token: the token that ends a text is 0 wherever it stands, as in open_clip", () => {
  const read = (...parts: string[]) => readFileSync(join(packageRoot, "test/fixtures", ...parts));
  const { rows } = JSON.parse(read("text", "strip-sep.json").toString()) as {
    rows: { text: string; ids: number[] }[];
  };
  const tokenizer = openTokenizer(
    { "vocab.txt": read("models", "openclip-bert-tiny", "vocab.txt") },
    { cleaning: "whitespace", stripSep: true, frame: { context: 10, pad: 0 } },
  );
  for (const { text, ids } of rows)
    assert.deepEqual([...tokenizer.batch([text], { padTo: "context" }).ids], ids, text);
});
