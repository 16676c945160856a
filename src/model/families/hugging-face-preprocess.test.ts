import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { preprocess, rgbPicture } from "../../input/image/index.js";
import { packageRoot } from "../../package-root.js";
import { CliptError } from "../../tensor/index.js";
import { readSafetensors } from "../../weights/index.js";
import { parseHuggingFace } from "./hugging-face.js";
import { parseHuggingFacePreprocess } from "./hugging-face-preprocess.js";

const clip = parseHuggingFace({ model_type: "clip", vision_config: { image_size: 8, patch_size: 4 } });
const siglip = parseHuggingFace({ model_type: "siglip", vision_config: { image_size: 8, patch_size: 4 } });

describe("pictures are what transformers' processors make of them, bit by bit", () => {
  // Source: test/fixtures/processor/make_processor.py
  const { tensors, metadata } = readSafetensors(
    readFileSync(join(packageRoot, "test/fixtures/processor/processor.safetensors")),
  );
  const { shape, data } = tensors.get("picture")!;
  const picture = rgbPicture(shape[1]!, shape[0]!, data as Uint8Array);
  for (const [i, json] of (JSON.parse(metadata.cases!) as object[]).entries())
    test(JSON.stringify(json), () => {
      const isSiglip = "image_processor_type" in json;
      const config = parseHuggingFacePreprocess(json, isSiglip ? siglip : clip);
      const expected = tensors.get(String(i))!;
      const [, height, width] = expected.shape;
      assert.deepEqual([config.size, config.size].flat().slice(0, 2), [height, width]);
      assert.deepEqual(preprocess(picture, config), expected.data);
    });
});

test("what leaves pictures of different sizes, or clipt lacks, is refused by its name", () => {
  const cases: [object, RegExp][] = [
    [{ size: { shortest_edge: 8 }, do_center_crop: false }, /shortest_edge without a crop/],
    [{ do_resize: false, do_center_crop: false }, /do_resize false without a crop/],
    [{ size: { longest_edge: 8 } }, /size: .*shortest_edge/],
    [{ size: { shortest_edge: 8, longest_edge: 20 } }, /longest_edge/],
    [{ crop_size: { height: 8 } }, /crop_size/],
    [{ resample: 1 }, /resample 1/],
    [{ do_pad: true }, /do_pad/],
    [{ image_std: [0.2, 0, 0.3] }, /image_std/],
    [{ rescale_factor: 0 }, /rescale_factor/],
    [{ size: { shortest_edge: 1e9 } }, /size/],
  ];
  for (const [json, message] of cases)
    assert.throws(
      () => parseHuggingFacePreprocess(json, clip),
      (error) => error instanceof CliptError && message.test(error.message),
      JSON.stringify(json),
    );
});

test("what a file leaves out is its class's, at the model's size", () => {
  assert.deepEqual(parseHuggingFacePreprocess({ crop_size: 8 }, clip), parseHuggingFacePreprocess({}, clip));
  const { size, resizeMode, scaleTo } = parseHuggingFacePreprocess({ size: 10 }, clip);
  assert.deepEqual([size, resizeMode, scaleTo], [8, "shortest", 10]);
  const squashed = parseHuggingFacePreprocess({ image_processor_type: "SiglipImageProcessor" }, clip);
  assert.deepEqual([squashed.size, squashed.resizeMode, squashed.mean], [[8, 8], "squash", [0.5, 0.5, 0.5]]);
  const grey = parseHuggingFacePreprocess({ image_mean: 0.5, image_std: 0.25 }, clip);
  assert.deepEqual([grey.mean, grey.std], [[0.5, 0.5, 0.5], [0.25, 0.25, 0.25]]); // prettier-ignore
});
