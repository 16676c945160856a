import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { needsShared, sharedPath } from "../../../test/shared.js";
import { readSafetensors } from "../../weights/index.js";
import { comparePreprocess } from "./compare.js";

test(
  "every picture of the reference is preprocessed bit for bit",
  needsShared("reference/preprocess.safetensors"),
  async () => {
    const goldens = readSafetensors(
      readFileSync(sharedPath("reference/preprocess.safetensors") ?? ""),
    ).tensors;
    const report = await comparePreprocess(sharedPath("reference/preprocess") ?? "", goldens);
    assert.deepEqual(
      report.files.filter(({ ok, maxLevels }) => !ok || maxLevels > 1e-4),
      [],
    );
    assert.equal(report.compared, goldens.size);
    assert.equal(report.differentPixels, 0);
    assert.ok(report.ok);
  },
);
