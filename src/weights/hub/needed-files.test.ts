import assert from "node:assert/strict";
import { test } from "node:test";
import { neededFiles } from "./needed-files.js";

// The files of laion/CLIP-ViT-B-32-laion2B-s34B-b79K, and the shards and ONNX files that other repositories hold.
const laion = [
  ".gitattributes",
  "README.md",
  "config.json",
  "merges.txt",
  "model.safetensors",
  "open_clip_config.json",
  "open_clip_model.safetensors",
  "open_clip_pytorch_model.bin",
  "preprocessor_config.json",
  "pytorch_model.bin",
  "special_tokens_map.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "vocab.json",
];

test("one file of weights is taken, safetensors first, with what the model needs beside it", () => {
  const needed = neededFiles(laion);
  assert.deepEqual(needed?.weights, ["open_clip_model.safetensors"]);
  assert.deepEqual(
    needed.beside,
    laion.filter((path) => /\.(json|txt)$/.test(path)),
  );
  assert.deepEqual(neededFiles(laion, "pytorch")?.weights, ["open_clip_pytorch_model.bin"]);
  const withoutOpenClip = laion.filter((path) => path !== "open_clip_model.safetensors");
  assert.deepEqual(neededFiles(withoutOpenClip)?.weights, ["model.safetensors"]);
  assert.equal(neededFiles(["config.json", "flax_model.msgpack", "tf_model.h5"]), undefined);
});

test("shards belong together; without one of them they are none", () => {
  const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
  const index = "model.safetensors.index.json";
  assert.deepEqual(neededFiles([...shards, index, "config.json"])?.weights, [index, ...shards]);
  assert.equal(neededFiles([shards[0]!, index, "config.json"]), undefined);
});

test("ONNX is taken when it is asked for or nothing else is there: full precision, with its outside data", () => {
  const towers = ["onnx/text_model.onnx", "onnx/vision_model.onnx"];
  const onnx = [
    ...towers,
    "onnx/vision_model.onnx_data",
    "onnx/vision_model_fp16.onnx",
    "onnx/model_quantized.onnx",
  ];
  // The joint model knows what cosines become.
  const wanted = [...towers, "onnx/model_quantized.onnx", "onnx/vision_model.onnx_data"];
  assert.deepEqual(neededFiles(["config.json", ...onnx])?.weights, wanted);
  assert.deepEqual(neededFiles([...laion, ...onnx])?.format, "safetensors");
  assert.deepEqual(neededFiles([...laion, ...onnx], "onnx")?.weights, wanted);
});

test("a text tower of sentence-transformers comes with its chain of modules", () => {
  const chain = ["1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors", "modules.json"];
  const needed = neededFiles(["config.json", "model.safetensors", "tokenizer.json", ...chain]);
  assert.deepEqual(needed?.weights, ["model.safetensors"]);
  assert.deepEqual(needed.beside, ["config.json", "tokenizer.json", ...chain]);
});
