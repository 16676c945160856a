import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readJson } from "./text-file.js";

test("JSON as Python writes it: NaN and infinities are null, texts stay", async () => {
  const folder = await mkdtemp(join(tmpdir(), "clipt-json-"));
  const path = join(folder, "results.json");
  try {
    // json.dumps({"acc1": 0.5, "acc5": math.nan, "ends": [-math.inf, math.inf], "NaN": 'NaN, "Infinity"'})
    await writeFile(
      path,
      String.raw`{"acc1": 0.5, "acc5": NaN, "ends": [-Infinity, Infinity], "NaN": "NaN, \"Infinity\""}`,
    );
    assert.deepEqual(await readJson(path), {
      acc1: 0.5,
      acc5: null,
      ends: [null, null],
      NaN: 'NaN, "Infinity"',
    });
    await writeFile(path, "{'acc1': None}");
    await assert.rejects(readJson(path), { code: "format" });
  } finally {
    await rm(folder, { recursive: true });
  }
});
