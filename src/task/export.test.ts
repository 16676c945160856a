import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { writeSmallModel } from "../../test/small-model.js";
import { CliptError } from "../tensor/index.js";
import { exportModel } from "./export.js";

describe("export", () => {
  let root = "";
  before(async () => {
    root = mkdtempSync(join(tmpdir(), "clipt-export-"));
    await writeSmallModel(join(root, "small"));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test("names every file that it wrote, with its size", async () => {
    const out = join(root, "out");
    const { files } = await exportModel({ model: join(root, "small"), to: "onnx", out, split: true });
    assert.deepEqual(
      files.map(({ name }) => name),
      [
        "onnx/text_model.onnx",
        "onnx/vision_model.onnx",
        "config.json",
        "preprocessor_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
      ],
    );
    assert.ok(files.every(({ bytes }) => bytes > 0));
  });

  test("a folder that cannot be made is an error of the machine", async () => {
    const out = join(root, "small", "config.json", "out");
    await assert.rejects(
      exportModel({ model: join(root, "small"), to: "onnx", out }),
      (error) => error instanceof CliptError && error.code === "io",
    );
  });
});
