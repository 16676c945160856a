/**
 * The trained model as it is shipped: few bytes, templates of sentences, its card.
 *
 *     node dist/recipes/bundled/pack.js TRAINED models/clipt-small
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  cutUnigram,
  readUnigramJson,
  toUnigramJson,
  type UnigramTokenizerJson,
} from "../../src/input/text/index.js";
import { openModel, saveModel } from "../../src/model/index.js";
import { packageRoot } from "../../src/package-root.js";
import { arrayOf, type Tensor } from "../../src/tensor/index.js";

const [trained, out] = process.argv.slice(2);
if (!trained || !out) throw new Error("Usage: pack.js TRAINED OUT");
const here = join(packageRoot, "recipes", "bundled");
const model = await openModel(trained);
const { text } = model.config;
if (text.kind !== "sentence-encoder") throw new Error(`${trained} has another text tower than the recipe's.`);

// The rarest pieces make room: with them the folder would be larger than 40 MB.
const pieces = 84_000;
const json = JSON.parse(
  new TextDecoder().decode(model.tokenizerFiles.get("tokenizer.json")),
) as UnigramTokenizerJson;
const full = readUnigramJson(json);
const least = full.pieces.map(({ score }) => score).sort((a, b) => b - a)[pieces]!;
const { model: cut, keptIds } = cutUnigram(
  full,
  ({ piece, score }) => score > least || [...piece].length === 1,
);
const rowsOf = ({ dtype, shape: [rows = 1, ...rest], data }: Tensor): Tensor => {
  const width = data.length / rows;
  const kept = new arrayOf[dtype](keptIds.length * width) as Uint8Array;
  keptIds.forEach((id, row) =>
    kept.set((data as Uint8Array).subarray(id * width, (id + 1) * width), row * width),
  );
  return { dtype, shape: [keptIds.length, ...rest], data: kept } as Tensor;
};
const weights = new Map(
  [...model.weights].map(([name, t]) => [name, name.includes(".embedding.") ? rowsOf(t) : t]),
);
const frame = { start: cut.start, end: cut.end, pad: keptIds.indexOf(text.padId), padTo: "longest" } as const;

await saveModel(out, {
  ...model,
  config: { ...model.config, text: { ...text, vocabSize: keptIds.length, padId: frame.pad } },
  weights,
  tokenizerConfig: {
    kind: "sentencepiece",
    cleaning: "none",
    frame: { ...frame, context: text.contextLength },
  },
  tokenizerFiles: new Map([["tokenizer.json", new TextEncoder().encode(JSON.stringify(toUnigramJson(cut)))]]),
  precision: "int8",
  card: await readFile(join(here, "card.md"), "utf8"),
});
for (const file of ["templates.en.txt", "templates.ru.txt"])
  await writeFile(join(out, file), await readFile(join(here, file)));
