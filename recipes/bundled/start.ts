/**
 * The model that the bundled one starts from: two pretrained towers under new heads. See README.md beside this file.
 *
 *     node dist/recipes/bundled/start.js --image efficientnet-lite0.pth --text weights.npz --pieces sp.model --out FOLDER
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { clipPreprocess } from "../../src/input/index.js";
import { cutUnigram, readSentencePieceModel, toUnigramJson } from "../../src/input/text/index.js";
import {
  clipSpec,
  efficientNetFromPyTorch,
  initialise,
  lite0,
  saveModel,
  sentenceEncoderFromNpz,
  type ClipConfig,
} from "../../src/model/index.js";
import { flatten, isTensor, random, tensor, toFloat16, type Tensor } from "../../src/tensor/index.js";
import { openWeights, saveSafetensors } from "../../src/weights/index.js";

const { values: flags } = parseArgs({
  options: {
    image: { type: "string" },
    text: { type: "string" },
    pieces: { type: "string" },
    out: { type: "string" },
    vocabulary: { type: "string", default: "85000" },
  },
});
const { image, text, pieces, out, vocabulary } = flags;
if (!image || !text || !pieces || !out)
  throw new Error("Usage: start.js --image F --text F --pieces F --out FOLDER");

async function readAll(path: string): Promise<Map<string, Tensor>> {
  const file = await openWeights(path);
  const tensors = new Map<string, Tensor>();
  for (const name of file.names()) tensors.set(name, await file.read(name));
  await file.close();
  return tensors;
}

/** Languages of the bundled model: written in Latin, Cyrillic and Chinese letters. */
const script =
  /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Han}\p{Script=Common}\p{Script=Inherited}\p{Script=Greek}]*$/u;

const full = readSentencePieceModel(await readFile(pieces));
// Its ids for own use are never found in a text once they are control pieces: the first one pads.
const padding = full.pieces.findIndex(({ type }) => type === "user");
const model = {
  ...full,
  pieces: full.pieces.map((p) => (p.type === "user" ? { ...p, type: "control" as const } : p)),
};
// Rare pieces go first: their texts are cut into smaller ones. Single letters all stay, so that no word becomes unknown.
const readable = model.pieces.filter((p) => p.type === "normal" && script.test(p.piece));
const single = (piece: string) => [...piece].length === 1;
const byScore = readable.filter((p) => !single(p.piece)).sort((a, b) => b.score - a.score);
const singles = readable.filter((p) => single(p.piece));
const kept = new Set(
  [...singles, ...byScore.slice(0, Number(vocabulary) - singles.length)].map(({ piece }) => piece),
);
const cut = cutUnigram(model, ({ piece }) => kept.has(piece));

/**
 * Rows of the table as four bits a number. Of some ranges, each narrower than a row's own, the one with the least
 * squared error is taken: a few far numbers are worth less than a finer step for all.
 */
function fourBits(
  rows: Float32Array,
  width: number,
): { values: Uint8Array; scale: Float32Array; low: Float32Array } {
  const count = rows.length / width;
  const values = new Uint8Array((count * width) / 2);
  const [scale, low] = [new Float32Array(count), new Float32Array(count)];
  for (let i = 0; i < count; i++) {
    const row = rows.subarray(i * width, (i + 1) * width);
    const [least, most] = [Math.min(...row), Math.max(...row)];
    let best = Infinity;
    for (const share of [1, 0.9, 0.8, 0.7, 0.6]) {
      const start = (least + most) / 2 - (share * (most - least)) / 2;
      const step = (share * (most - least)) / 15 || 1;
      const level = (x: number) => Math.min(15, Math.max(0, Math.round((x - start) / step)));
      const error = row.reduce((sum, x) => sum + (start + level(x) * step - x) ** 2, 0);
      if (error >= best) continue;
      best = error;
      [scale[i], low[i]] = [step, start];
      for (let j = 0; j < width / 2; j++)
        values[(i * width) / 2 + j] = level(row[j]!) | (level(row[j + width / 2]!) << 4);
    }
  }
  return { values, scale, low };
}

const encoder = sentenceEncoderFromNpz(await readAll(text));
const table = encoder.get("embedding.values")!;
const width = table.shape[1]!;
const [scales, lows] = [encoder.get("embedding.scale")!.data, encoder.get("embedding.low")!.data];
const rows = new Float32Array(cut.keptIds.length * width);
cut.keptIds.forEach((id, row) => {
  for (let j = 0; j < width; j++)
    rows[row * width + j] = Number(table.data[id * width + j]) * Number(scales[id]) + Number(lows[id]);
});
const packed = fourBits(rows, width);
const count = cut.keptIds.length;
encoder.set("embedding.values", tensor("uint8", [count, width / 2], packed.values));
encoder.set("embedding.scale", toFloat16(tensor("float32", [count], packed.scale)));
encoder.set("embedding.low", toFloat16(tensor("float32", [count], packed.low)));

const trunk = efficientNetFromPyTorch(await readAll(image));
const context = 256;
const padId = cut.keptIds.indexOf(padding);
const head = { kind: "mlp", hidden: 1024, standardise: true, dropout: [0.1, 0.45] } as const;
const config: ClipConfig = {
  embedDim: 384,
  image: { ...lite0, seen: [11], head },
  text: {
    kind: "sentence-encoder",
    contextLength: context,
    vocabSize: count,
    padId,
    width,
    table: "uint4",
    features: "result+pooled+mean",
    head,
  },
  customText: true,
  score: "softmax",
  initLogitScale: Math.log(1 / 0.07),
};

const weights = flatten(initialise(clipSpec(config), random([0, "bundled"])), isTensor);
for (const [name, value] of trunk)
  if (!name.startsWith("classifier")) weights.set(`visual.trunk.${name}`, value);
for (const [name, value] of encoder) weights.set(`text.trunk.${name}`, value);
const frame = { start: cut.model.start, end: cut.model.end, pad: padId, padTo: "longest", context } as const;
await saveModel(out, {
  config,
  preprocess: {
    ...clipPreprocess,
    size: [224, 224],
    resizeMode: "squash",
    convert: "white",
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  },
  weights,
  tokenizerConfig: { kind: "sentencepiece", cleaning: "none", frame },
  tokenizerFiles: new Map([
    ["tokenizer.json", new TextEncoder().encode(JSON.stringify(toUnigramJson(cut.model)))],
  ]),
  card: "# Start of the bundled model\n\nTwo pretrained towers under heads that know nothing yet. See `recipes/bundled/README.md`.\n",
});
// What the image tower knew of ImageNet's classes teaches the new heads.
const classifier = ["weight", "bias"].map(
  (part) => [`classifier.${part}`, trunk.get(`classifier.${part}`)!] as const,
);
await saveSafetensors(join(out, "classifier.safetensors"), new Map(classifier));
console.log(`${out}: ${count} pieces`);
