import assert from "node:assert/strict";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { temporaryFolder } from "../../test/made-data.js";
import { needsShared, sharedPath } from "../../test/shared.js";
import { constant } from "../graph/index.js";
import { packageRoot } from "../package-root.js";
import { evaluate } from "../runtime/index.js";
import { f32, toFloat32, type Tensor } from "../tensor/index.js";
import { readWeights } from "../weights/index.js";
import { encodeImage, encodeText } from "./clip.js";
import { openModel, type Model } from "./open.js";
import type { ForcedSizes } from "./sizes.js";
import { constants } from "./values.js";

const reference = (...path: string[]) => sharedPath("reference", ...path)!;

/** Pixels of `make_resized.py`. */
const pixels = ([height, width]: readonly [number, number]): Tensor =>
  f32(
    [2, 3, height, width],
    Float32Array.from({ length: 6 * height * width }, (_, i) => Math.sin(i) * 1.5),
  );

/** Compares with what the projects compute at these sizes. */
async function assertAgrees({ config, weights }: Model, golden: string): Promise<void> {
  const expected = await readWeights(
    join(packageRoot, "test/fixtures/models/resized", `${golden}.safetensors`),
  );
  const w = constants(config, weights);
  const ids = expected.get("input_ids");
  const got = await evaluate({
    image_features: encodeImage(config, w, constant(pixels(config.image.imageSize))),
    ...(ids && { text_features: encodeText(config, w, constant(ids)) }),
  });
  for (const [name, tensor] of Object.entries(got)) {
    const wanted = toFloat32(expected.get(name)!).data;
    const worst = Math.max(...toFloat32(tensor).data.map((x, i) => Math.abs(x - wanted[i]!)));
    assert.ok(worst <= 2e-5, `${golden}, ${name}: off by ${worst}`);
  }
}

describe("other sizes, asked for", needsShared("reference"), () => {
  const cases: [folder: string, sizes: ForcedSizes, golden: string][] = [
    ["vit-tiny/vit-tiny.train.pt", { imageSize: 96, contextLength: 40 }, "vit-96-40"],
    ["vit-tiny/vit-tiny.fp16.pt", { imageSize: [48, 80], contextLength: 100 }, "vit-48x80-100"],
    ["hf-clip-tiny", { imageSize: 56 }, "hf-clip-56"],
    ["hf-siglip-tiny", { imageSize: [48, 24] }, "hf-siglip-48x24"],
  ];
  for (const [path, sizes, golden] of cases)
    test(`${path}: features at ${golden} are the project's`, async () => {
      const model = await openModel(reference(path), sizes);
      assert.deepEqual(model.preprocess.size, sizes.imageSize);
      const { tokenizerConfig: tokenizer } = model;
      assert.equal("context" in tokenizer && tokenizer.context, model.config.text.contextLength);
      await assertAgrees(model, golden);
    });
  test("its own sizes are the model itself", async () => {
    const folder = reference("hf-siglip-tiny");
    const forced = await openModel(folder, { imageSize: [32, 32], contextLength: 64 });
    const { weights, locations } = await openModel(folder);
    assert.deepEqual(new Map(forced.weights), new Map(weights));
    assert.equal(forced.locations.size, locations.size);
  });
  test("no patch fits", async () => {
    await assert.rejects(openModel(reference("hf-clip-tiny"), { imageSize: 7 }), { code: "usage" });
  });
});

describe("a configuration of other sizes than its weights", needsShared("reference"), () => {
  const changed = async (file: string, change: (text: string) => string, folder: string) =>
    writeFile(join(folder, file.split("/").at(-1)!), change(await readFile(reference(file), "utf8")));

  test("open_clip stretches its tables", async (t) => {
    const folder = temporaryFolder(t);
    await copyFile(reference("vit-tiny/vit-tiny.train.pt"), join(folder, "vit-tiny.train.pt"));
    const change = (text: string) =>
      text
        .replace('"image_size": 64', '"image_size": 96')
        .replace('"context_length": 77', '"context_length": 40');
    await changed("vit-tiny/open_clip_config.json", change, folder);
    await assertAgrees(await openModel(folder), "vit-96-40");
  });

  test("transformers refuses, and so does a table that is no square; both are named", async (t) => {
    const folder = temporaryFolder(t);
    await copyFile(reference("hf-clip-tiny/model.safetensors"), join(folder, "model.safetensors"));
    await changed(
      "hf-clip-tiny/config.json",
      (text) => text.replace('"image_size": 40', '"image_size": 56'),
      folder,
    );
    await assert.rejects(openModel(folder), {
      code: "format",
      message:
        /1 of another shape: visual\.positional_embedding \(in the file vision_model\.embeddings\.position_embedding\.weight\) is \[26, 64\] instead of \[50, 64\]/,
    });
    const other = temporaryFolder(t);
    await copyFile(
      reference("openclip-avg-tiny/open_clip_pytorch_model.bin"),
      join(other, "open_clip_pytorch_model.bin"),
    );
    const taller = (text: string) => text.replace(/"image_size": \[\s*32,/, '"image_size": [ 40,');
    await changed("openclip-avg-tiny/open_clip_config.json", taller, other);
    await assert.rejects(openModel(other), {
      code: "format",
      message: /visual\.positional_embedding is \[25, 48\]/,
    });
  });
});
