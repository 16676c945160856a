import { clipPreprocess } from "../src/input/index.js";
import { toTokenizerJson, trainBpe } from "../src/input/text/index.js";
import { saveModel, type ClipConfig } from "../src/model/index.js";
import { tinyConfig, tinyWeights } from "./tiny-model.js";

/** Vocabulary of bytes, a few merges, start and end. */
const vocabSize = 520;

/** Writes a whole model folder with random weights: it finds nothing, but everything about it is real. */
export async function writeSmallModel(folder: string, seed = "small"): Promise<void> {
  const vocabulary = trainBpe(["a cat and a dog", "the dog ran", "the cat sat"], { vocabSize });
  const text = { ...tinyConfig.text, contextLength: 16, vocabSize } as ClipConfig["text"];
  const config: ClipConfig = { ...tinyConfig, text };
  await saveModel(folder, {
    config,
    weights: tinyWeights(seed, config),
    preprocess: { ...clipPreprocess, size: 16 },
    tokenizerConfig: { kind: "clip-bpe", cleaning: "lower", pad: "zero", context: 16 },
    tokenizerFiles: new Map([
      ["tokenizer.json", new TextEncoder().encode(JSON.stringify(toTokenizerJson(vocabulary)))],
    ]),
    card: "# A model with random weights\n",
  });
}
