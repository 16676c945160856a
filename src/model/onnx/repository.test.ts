import assert from "node:assert/strict";
import { copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { temporaryFolder } from "../../../test/made-data.js";
import { needsShared, sharedPath } from "../../../test/shared.js";
import { constant, input, mul } from "../../graph/index.js";
import { packageRoot } from "../../package-root.js";
import { encodeModel, nodeRuntime, type Runtime } from "../../runtime/index.js";
import { CliptError, f32, toFloat32, type Code, type Tensor } from "../../tensor/index.js";
import { readWeights } from "../../weights/index.js";
import { openModel } from "../open.js";
import { openEncoderAt } from "../open-encoder.js";
import { unitRows } from "./feeds.js";
import { isOnnxRepository } from "./files.js";
import { openOnnxRepository } from "./repository.js";

const fixture = (name: string): string => join(packageRoot, "test", "fixtures", "models", name);
/** The texts of the fixtures' golden files. */
const texts = ["a cat", "two dogs in the snow", "a"];

const fails =
  (code: Code, words: RegExp) =>
  (error: unknown): boolean =>
    error instanceof CliptError && error.code === code && words.test(error.message);

function near(ours: Tensor<"float32">, theirs: Tensor, most = 2e-6): void {
  const expected = unitRows(theirs);
  assert.deepEqual(ours.shape, expected.shape);
  ours.data.forEach((x, i) => assert.ok(Math.abs(x - expected.data[i]!) < most, `${i}: ${x}`));
}

describe("ONNX repositories that others wrote", () => {
  let runtime: Runtime;
  before(() => (runtime = nodeRuntime()));
  after(() => runtime.close());

  test("a joint model of optimum's encodes pictures and texts as PyTorch does, and tells its scale", async () => {
    const golden = await readWeights(join(fixture("onnx-clip-tiny"), "golden.safetensors"));
    const encoder = await openEncoderAt(fixture("onnx-clip-tiny"), runtime);
    near(await encoder.images(golden.get("pixel_values") as Tensor<"float32">), golden.get("image_embeds")!);
    near((await encoder.texts(texts)).features, golden.get("text_embeds")!);
    const [scale] = toFloat32(golden.get("logit_scale")!).data;
    assert.ok(Math.abs(encoder.scale / scale! - 1) < 1e-5, String(encoder.scale));
    assert.equal(encoder.bias, 0);
    await encoder.close();
  });

  test("two towers alone encode; what their cosines mean they cannot tell", async () => {
    const golden = await readWeights(join(fixture("onnx-siglip-tiny"), "golden.safetensors"));
    const encoder = await openEncoderAt(fixture("onnx-siglip-tiny"), runtime);
    near(await encoder.images(golden.get("pixel_values") as Tensor<"float32">), golden.get("image_embeds")!);
    assert.throws(() => encoder.scale, fails("unsupported", /no probabilities without onnx\/model\.onnx/));
    await encoder.close();
  });

  const tokenizer = ["reference", "hf-siglip-tiny", "tokenizer.json"];
  test("a tower that reads its padding gets it", needsShared(...tokenizer), async (t) => {
    const folder = temporaryFolder(t);
    cpSync(fixture("onnx-siglip-tiny"), folder, { recursive: true });
    copyFileSync(sharedPath(...tokenizer)!, join(folder, "tokenizer.json"));
    const golden = await readWeights(join(fixture("onnx-siglip-tiny"), "golden.safetensors"));
    rmSync(join(folder, "golden.safetensors"));
    const encoder = await openEncoderAt(folder, runtime);
    near((await encoder.texts(texts)).features, golden.get("text_embeds")!);
    await encoder.close();
  });

  test("weights that lie there, too, come first", async (t) => {
    const folder = temporaryFolder(t);
    assert.equal(await isOnnxRepository(folder), false);
    mkdirSync(join(folder, "onnx"));
    writeFileSync(join(folder, "onnx", "model.onnx"), "");
    assert.equal(await isOnnxRepository(folder), true);
    writeFileSync(join(folder, "model.safetensors"), "");
    assert.equal(await isOnnxRepository(folder), false);
  });

  test("what is missing or wrong is named", async (t) => {
    await assert.rejects(
      openOnnxRepository(fixture("onnx-clip-tiny"), "q8"),
      fails("missing", /no q8 ONNX files .* it holds model\.onnx/),
    );
    await assert.rejects(
      openModel(fixture("onnx-clip-tiny")),
      fails("unsupported", /needs a model's weights/),
    );
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, "onnx"));
    const path = join(folder, "onnx", "model.onnx");
    writeFileSync(path, "no model");
    await assert.rejects(openOnnxRepository(folder), fails("missing", /no config\.json/));
    copyFileSync(join(fixture("onnx-clip-tiny"), "config.json"), join(folder, "config.json"));
    await assert.rejects(openOnnxRepository(folder), fails("format", /not an ONNX model/));
    const far = mul(input("x", [1]), constant(f32([20_000], new Float32Array(20_000))));
    writeFileSync(path, encodeModel({ far }, { ownFile: "../../secret" }).bytes);
    await assert.rejects(openOnnxRepository(folder), fails("format", /only files of its own folder/));
    writeFileSync(path, encodeModel({ other: mul(input("x", [1]), 2) }).bytes);
    await assert.rejects(openEncoderAt(folder, runtime), fails("unsupported", /gives other, and none of/));
  });
});
