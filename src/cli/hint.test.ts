import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { classify } from "../task/classify.js";
import { modelsInfo } from "../task/models-info.js";
import { hintAtModels, modelsHint } from "./hint.js";

test("better models are spoken of once, at a terminal, where the bundled one was used by default", (t) => {
  const cache = mkdtempSync(join(tmpdir(), "clipt-hint-"));
  t.after(() => rmSync(cache, { recursive: true }));
  let said = "";
  const stderr = { isTTY: true, write: (text: string) => (said += text) };
  const io = { stderr, env: { NO_COLOR: "1" } };
  hintAtModels(classify.description, { model: "owner/name" }, cache, io);
  hintAtModels(modelsInfo.description, {}, cache, io);
  hintAtModels(classify.description, {}, cache, { ...io, stderr: { ...stderr, isTTY: false } });
  assert.equal(said, "");
  hintAtModels(classify.description, {}, cache, io);
  hintAtModels(classify.description, {}, cache, io);
  assert.equal(said, `${modelsHint}\n`);
});
