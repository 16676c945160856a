import type { Tokenizer } from "../../input/text/index.js";
import { inspectOnnx, type OnnxFile, type Runtime } from "../../runtime/index.js";
import { CliptError, f32, random, sizeOf, tensor, toFloat32, type Tensor } from "../../tensor/index.js";
import { encodeBatches } from "../encode-batches.js";
import type { Encoder } from "../encoder.js";
import { once } from "../once.js";
import type { TextBatch } from "../pack-texts.js";
import { feedsFor, outputFor, unitRows } from "./feeds.js";
import { fitLogits, type Logits } from "./logits.js";
import type { OnnxModel } from "./repository.js";

/** The encoder of a model that exists as programs only. They run as they are, whatever their operators. */
export async function openOnnxEncoder(model: OnnxModel, runtime: Runtime): Promise<Encoder> {
  const { config, programs, imageSize } = model;
  const files = "joint" in programs ? { text: programs.joint, image: programs.joint } : programs;
  const pooled = config.score === "sigmoid";
  const [textOutput, imageOutput] = [
    outputFor(files.text, "text", pooled),
    outputFor(files.image, "image", pooled),
  ];
  const opened = new Map([files.text, files.image].map((file) => [file, once(() => runtime.load(file))]));
  const run = async (file: OnnxFile, texts: TextBatch, pixels: Tensor<"float32">) =>
    (await opened.get(file)!.get()).run(feedsFor(file, texts, pixels));
  const fixed = files.text.inputs.find(({ name }) => name === "input_ids")?.shape[1];
  const context = typeof fixed === "number" ? fixed : model.context;
  const readsPadding = pooled || typeof fixed === "number";
  // A joint program computes both towers: the one that nobody asked for gets the least there is.
  const blank = blankPicture(imageSize);
  const silence = silentText(readsPadding ? context : 2);
  const width = textOutput.shape.at(-1);
  const logits = await logitsOf(model, runtime, readsPadding ? context : undefined);
  return {
    model,
    get scale() {
      return known(model, logits).scale;
    },
    get bias() {
      return known(model, logits).bias;
    },
    ...encodeBatches(model, {
      imageSize,
      dim: typeof width === "number" ? width : config.embedDim,
      context,
      readsPadding,
      images: async (pixels) => unitRows((await run(files.image, silence, pixels))[imageOutput.name]!).data,
      texts: async (batch) => unitRows((await run(files.text, batch, blank))[textOutput.name]!).data,
    }),
    openImages: () => opened.get(files.image)!.get(),
    close: async () => {
      await Promise.all([...opened.values()].map((program) => program.close()));
    },
  };
}

const blankPicture = ([height, width]: readonly [number, number]): Tensor<"float32"> =>
  f32([1, 3, height, width], new Float32Array(3 * height * width));

const silentText = (length: number): TextBatch => ({
  ids: tensor("int64", [1, length], new BigInt64Array(length)),
  lengths: [length],
});

/** OpenAI's models all ended at this factor, where training held it; OpenCLIP's do. */
const clipScale = 100;

/**
 * What a model makes of cosines: as its own configuration says, as its joint program does, or as its kind always does.
 *
 * @param length ids that a row must have; absent: any number
 */
async function logitsOf(
  model: OnnxModel,
  runtime: Runtime,
  length: number | undefined,
): Promise<Logits | undefined> {
  const { config, hints, joint, imageSize } = model;
  if (hints !== undefined) return { scale: Math.exp(hints.logitScale), bias: hints.logitBias };
  const biased = config.score === "sigmoid";
  if (joint === undefined) return biased ? undefined : { scale: clipScale, bias: 0 };
  const file = await inspectOnnx(joint);
  const texts = trialTexts(model.tokenizer, length);
  const shape = [2, 3, ...imageSize];
  const rng = random("logits");
  const pixels = f32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()),
  );
  const program = await runtime.load(file);
  try {
    const results = await program.run(feedsFor(file, texts, pixels));
    const unit = (role: "text" | "image") => unitRows(results[outputFor(file, role, false).name]!);
    return fitLogits(toFloat32(results["logits_per_image"]!), unit("image"), unit("text"), biased);
  } finally {
    await program.close();
  }
}

/** Texts that lie apart, whatever the model. */
function trialTexts(tokenizer: Tokenizer, length: number | undefined): TextBatch {
  const rows = ["a", "cat", "the moon over water", "42"].map((text) => tokenizer.encode(text, length).ids);
  const width = length ?? Math.max(...rows.map((ids) => ids.length));
  const ids = new BigInt64Array(rows.length * width).fill(BigInt(tokenizer.identity().frame.pad));
  rows.forEach((row, i) => ids.set(row.map(BigInt), i * width));
  return { ids: tensor("int64", [rows.length, width], ids), lengths: rows.map((row) => row.length) };
}

function known({ path }: OnnxModel, logits: Logits | undefined): Logits {
  if (logits !== undefined) return logits;
  throw new CliptError(
    "unsupported",
    `${path} holds the two towers alone, which do not say what becomes of their cosines: no probabilities without onnx/model.onnx.`,
  );
}
