import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { writeSmallModel } from "../../test/small-model.js";
import { openEncoderAt } from "../model/index.js";
import { nodeRuntime } from "../runtime/index.js";
import { CliptError, f32 } from "../tensor/index.js";
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

  test("an exported folder is a model again, with the same features, scale and pictures", async () => {
    const [model, out] = [join(root, "small"), join(root, "again")];
    await exportModel({ model, to: "onnx", out });
    const runtime = nodeRuntime();
    const [first, again] = [await openEncoderAt(model, runtime), await openEncoderAt(out, runtime)];
    const texts = ["a cat", "the dog ran after 12 cats and sat", "CAFÃ© &amp; dog"];
    closeTo((await again.texts(texts)).features.data, (await first.texts(texts)).features.data);
    const pixels = f32(
      [2, 3, 16, 16],
      new Float32Array(2 * 768).map((_, i) => Math.sin(i)),
    );
    closeTo((await again.images(pixels)).data, (await first.images(pixels)).data);
    assert.equal(again.scale, first.scale);
    assert.deepEqual(again.model.preprocess, first.model.preprocess);
    await runtime.close();
  });

  test("a folder that cannot be made is an error of the machine", async () => {
    const out = join(root, "small", "config.json", "out");
    await assert.rejects(
      exportModel({ model: join(root, "small"), to: "onnx", out }),
      (error) => error instanceof CliptError && error.code === "io",
    );
  });
});

function closeTo(got: Float32Array, expected: Float32Array): void {
  assert.equal(got.length, expected.length);
  got.forEach((x, i) => assert.ok(Math.abs(x - expected[i]!) < 1e-6, `${i}: ${x} instead of ${expected[i]}`));
}
