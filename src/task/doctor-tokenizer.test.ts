import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { needsShared, sharedPath } from "../../test/shared.js";
import { temporaryFolder, writeFiles } from "../../test/made-data.js";
import { numberTokens, openTokenizer, toTokenizerJson } from "../input/text/index.js";
import { doctorTokenizer } from "./doctor-tokenizer.js";

test(
  "the five tokenizers of the model folders beside a reference agree",
  needsShared("reference"),
  async () => {
    const report = await doctorTokenizer({
      path: sharedPath("reference")!,
      reference: sharedPath("reference", "siglip_tokens.json")!,
    });
    assert.deepEqual(report.different, []);
    for (const field of ["siglip_slow", "siglip_fast", "siglip2_fast", "open_clip", "hf_clip_fast"])
      assert.equal(report.fields[field], 280, field);
    assert.ok(report.ok);
    assert.ok(report.tokenizers.every(({ ok }) => ok));
  },
);

test("one folder's broken tokenizer is told, and the others are compared", async (t) => {
  const root = temporaryFolder(t);
  const json = JSON.stringify(toTokenizerJson(numberTokens([["d", "o"]])));
  const ids = openTokenizer({ "tokenizer.json": new TextEncoder().encode(json) }).encode("do").ids;
  const config = '{"tokenizer_class": "CLIPTokenizer", "pad_token": "<|endoftext|>"}';
  writeFiles(root, {
    "good/tokenizer.json": json,
    "good/tokenizer_config.json": config,
    "broken/tokenizer.json": "{",
    "broken/tokenizer_config.json": config,
    "other/notes.txt": "no vocabulary",
    "reference.json": JSON.stringify({
      context: { hf_clip: 8 },
      texts: [{ text: "do", hf_clip_fast: [...ids, ids.at(-1)].slice(0, -1) }],
    }),
  });
  const report = await doctorTokenizer({ path: root, reference: join(root, "reference.json") });
  assert.deepEqual(
    report.tokenizers.map(({ path, ok, compared }) => [path.slice(root.length + 1), ok, compared]),
    [["broken", false, 0], ["good", true, 1]],
  ); // prettier-ignore
  assert.match(report.tokenizers[0]!.error!, /JSON/);
  assert.ok(!report.ok);
  await assert.rejects(doctorTokenizer({ path: join(root, "other"), reference: join(root, "reference.json") }), {
    code: "missing",
  }); // prettier-ignore
});
