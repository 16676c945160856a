import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { needsShared, sharedPath } from "../../test/shared.js";
import { openModel } from "./open.js";

interface Row {
  readonly text: string;
  readonly [field: string]: unknown;
}

/** Each model folder with the field of the reference that holds its project's ids. */
const folders = {
  "hf-clip-tiny": "hf_clip_fast",
  "hf-siglip-tiny": "siglip_slow",
  "hf-siglip2-tiny": "siglip2_fast",
  "openclip-siglip-tiny": "open_clip",
};

for (const [folder, field] of Object.entries(folders))
  test(`${folder}: an opened model gives its project's ids`, needsShared("reference"), async () => {
    const { texts } = JSON.parse(readFileSync(sharedPath("reference", "siglip_tokens.json")!, "utf8")) as {
      texts: readonly Row[];
    };
    const { tokenizer, config } = await openModel(sharedPath("reference", folder)!);
    assert.equal(tokenizer.contextLength, config.text.contextLength);
    for (const row of texts) {
      const expected = row[field] as number[];
      const { ids } = tokenizer.batch([row.text], { padTo: "context" });
      assert.equal(ids.length, config.text.contextLength);
      assert.deepEqual([...ids.subarray(0, expected.length)], expected, JSON.stringify(row.text));
      // The reference keeps one number of the padding.
      assert.ok(ids.subarray(expected.length).every((id) => id === expected.at(-1)));
    }
  });
