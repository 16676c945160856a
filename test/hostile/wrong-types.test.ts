import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { packageRoot } from "../../src/package-root.js";
import { exportModel } from "../../src/task/export.js";
import { temporaryFolder } from "../made-data.js";
import { writeSmallModel } from "../small-model.js";
import { runHostile } from "./run-hostile.js";

describe("a configuration of any other types is a CliptError or works", () => {
  test("clipt's own", async (t) => {
    const folder = temporaryFolder(t);
    await writeSmallModel(folder);
    await sweep(folder);
  });
  test("transformers'", async (t) => {
    const folder = temporaryFolder(t);
    await writeSmallModel(join(folder, "small"));
    await exportModel({ model: join(folder, "small"), to: "hf", out: join(folder, "hf") });
    await sweep(join(folder, "hf"));
  });
  for (const name of [
    "chinese-clip-tiny",
    "openclip-bert-tiny",
    "openclip-avg-tiny",
    "mobileclip-s-tiny",
    "mobileclip-b-tiny",
    "sentence-transformers-tiny",
  ])
    test(name, async (t) => {
      const folder = temporaryFolder(t);
      cpSync(join(packageRoot, "test/fixtures/models", name), folder, { recursive: true });
      // A short one instead of CLIP's own, which takes longer to read than all the rest.
      writeFileSync(join(folder, "bpe_simple_vocab_16e6.txt"), "#version: 0.2\na b\n");
      await sweep(folder);
    });
});

async function sweep(folder: string): Promise<void> {
  const { tries, troubles } = await runHostile("wrong-types", [folder]);
  assert.deepEqual(troubles, []);
  assert.ok(tries > 100, `${tries} changes were tried`);
}
