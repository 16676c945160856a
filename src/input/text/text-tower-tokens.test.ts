import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { packageRoot } from "../../package-root.js";
import { openTokenizer } from "./open-tokenizer.js";

/** Ids that Python's tokenizers give. */
interface Row {
  readonly text: string;
  readonly bert: number[];
  readonly bert_cased: number[];
  readonly xlmr: number[];
  readonly roberta: number[];
}

const fixture = (...parts: string[]) => readFileSync(join(packageRoot, "test/fixtures", ...parts));
const { texts } = JSON.parse(fixture("text/text-tower-tokens.json").toString()) as { texts: Row[] };
const vocabulary = { "vocab.txt": fixture("models/openclip-bert-tiny/vocab.txt") };
const cased = { "tokenizer_config.json": Buffer.from('{"do_lower_case": false}') };
const frame = { context: 200 };

describe("ids of a text, as Python's tokenizers give them", () => {
  const tokenizers = {
    bert: openTokenizer(vocabulary, { frame }),
    bert_cased: openTokenizer({ ...vocabulary, ...cased }, { frame }),
    xlmr: openTokenizer({ "tokenizer.json": fixture("models/openclip-xlmr-tiny/tokenizer.json") }, { frame }),
    roberta: openTokenizer({ "tokenizer.json": fixture("text/roberta-like.json") }, { frame }),
  };
  for (const [name, tokenizer] of Object.entries(tokenizers))
    test(name, () => {
      for (const row of texts)
        assert.deepEqual(
          tokenizer.encode(row.text).ids,
          row[name as keyof typeof tokenizers],
          JSON.stringify(row.text),
        );
    });
});

test("a cut row of BERT's ends in its end", () => {
  const tokenizer = openTokenizer(vocabulary, { frame: { context: 5 } });
  const { ids, truncatedFrom } = tokenizer.encode("a photo of a dog running");
  assert.deepEqual([ids[0], ids.at(-1), ids.length], [2, 3, 5]);
  assert.ok(truncatedFrom! > 5);
});
