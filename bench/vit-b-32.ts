import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { clipPreprocess } from "../src/input/index.js";
import { readClipVocabulary, toTokenizerJson } from "../src/input/text/index.js";
import { clipSpec, initialise, saveModel, type ClipConfig } from "../src/model/index.js";
import { packageRoot } from "../src/package-root.js";
import { flatten, isTensor, random } from "../src/tensor/index.js";

/** OpenAI's ViT-B/32: 88 and 63 million parameters. */
export const vitB32: ClipConfig = {
  embedDim: 512,
  image: {
    kind: "vit",
    imageSize: [224, 224],
    patchSize: 32,
    width: 768,
    heads: 12,
    layers: 12,
    mlpWidth: 3072,
    activation: "quick_gelu",
    eps: 1e-5,
    pool: "tok",
    lnPre: true,
    lnAfterPool: true,
  },
  text: {
    kind: "transformer",
    contextLength: 77,
    vocabSize: 49408,
    width: 512,
    heads: 8,
    layers: 12,
    mlpWidth: 2048,
    activation: "quick_gelu",
    eps: 1e-5,
    causal: true,
    pool: "argmax",
    projection: "matrix",
  },
  customText: false,
  score: "softmax",
  initLogitScale: Math.log(100),
};

/** A model folder of ViT-B/32's size with random weights and CLIP's vocabulary; one that is there already is kept. */
export async function writeVitB32(folder: string): Promise<void> {
  if (existsSync(join(folder, "config.json"))) return;
  const published = join(packageRoot, "models", "clip-bpe", "bpe_simple_vocab_16e6.txt.gz");
  const vocabulary = readClipVocabulary(gunzipSync(readFileSync(published)).toString("utf8"));
  await saveModel(folder, {
    config: vitB32,
    weights: flatten(initialise(clipSpec(vitB32), random("vit-b-32")), isTensor),
    preprocess: clipPreprocess,
    tokenizerConfig: { kind: "clip-bpe", cleaning: "clip", pad: "zero", context: 77 },
    tokenizerFiles: new Map([
      ["tokenizer.json", new TextEncoder().encode(JSON.stringify(toTokenizerJson(vocabulary)))],
    ]),
    card: "# Random weights of ViT-B/32's size\n",
  });
}
