import { clipSpec, initialise, type ClipConfig } from "../src/model/index.js";
import { f32, flatten, i64, isTensor, random, type Tensor } from "../src/tensor/index.js";
import type { Part } from "../src/train/step.js";

/** A CLIP that trains in milliseconds. */
export const tinyConfig: ClipConfig = {
  embedDim: 8,
  image: {
    kind: "vit",
    imageSize: [16, 16],
    patchSize: 8,
    width: 16,
    heads: 2,
    layers: 2,
    mlpWidth: 24,
    activation: "quick_gelu",
    eps: 1e-5,
    pool: "tok",
    lnPre: true,
    lnAfterPool: false,
  },
  text: {
    kind: "transformer",
    contextLength: 8,
    vocabSize: 20,
    width: 16,
    heads: 2,
    layers: 2,
    mlpWidth: 24,
    activation: "gelu",
    eps: 1e-5,
    causal: true,
    pool: "argmax",
    projection: "matrix",
  },
  customText: false,
  score: "softmax",
  initLogitScale: 2,
};

export const tinyWeights = (seed = "tiny", config = tinyConfig): Map<string, Tensor> =>
  flatten(initialise(clipSpec(config), random(seed)), isTensor);

/** Random pixels and texts; pair `i` of all is numbered `from + i`. */
export function tinyPart(seed: string, rows = 4, from = 0): Part {
  const rng = random(["part", seed]);
  const groups = i64(
    [rows],
    Array.from({ length: rows }, (_, i) => from + i),
  );
  return {
    image: f32(
      [rows, 3, 16, 16],
      Float32Array.from({ length: rows * 768 }, () => rng.normal()),
    ),
    text: i64(
      [rows, 8],
      Array.from({ length: rows * 8 }, () => rng.int(20)),
    ),
    rows: { pairs: rows, labelled: 0, captions: rows, classes: 0, taught: 0 },
    pictureGroups: groups,
    textGroups: groups,
  };
}
