import { input, type Packing } from "../graph/index.js";
import type { Program, Runtime } from "../runtime/index.js";
import { CliptError, toFloat32, type Dim, type Tensor } from "../tensor/index.js";
import { encodeImage, encodeText, packsTexts, readsPadding, sharesPrefixes } from "./clip.js";
import { isMostlyLinear } from "./choose-dtype.js";
import {
  encodeBatches,
  encodeTextBatches,
  picturesForConvolutions,
  picturesForMatrices,
} from "./encode-batches.js";
import type { Encoder, TowerWeights } from "./encoder.js";
import { examplePictures, exampleTexts } from "./examples.js";
import { identityIn } from "./identity.js";
import { once } from "./once.js";
import { openOnnxEncoder } from "./onnx/encoder.js";
import { isOnnxRepository } from "./onnx/files.js";
import { openOnnxRepository } from "./onnx/repository.js";
import { openModel, type Model, type OpenOptions } from "./open.js";
import { openTower, type TowerOptions, type TowerSource } from "./open-tower.js";
import { packTexts, type TextBatch } from "./pack-texts.js";
import type { ForcedSizes } from "./sizes.js";
import { constants } from "./values.js";

/** @param options by default the towers compute in float32 as their weights say */
export async function openEncoder(
  model: Model,
  runtime: Runtime,
  options: TowerOptions = {},
): Promise<Encoder> {
  const { config, identity } = model;
  const { embedDim: dim, image, text } = config;
  const weights = constants(config, model.weights, model.locations);
  const number = (name: string) => {
    const found = model.weights.get(name);
    return found && toFloat32(found).data[0];
  };
  const images = async (program: Program, pixels: Tensor) => featuresOf(await program.run({ pixels }));
  const packs = packsTexts(config);
  const texts = async (program: Program, batch: TextBatch) => {
    const packing = packs ? packTexts(batch, batches.sharesPrefixes) : {};
    return featuresOf(await program.run({ ids: batch.ids, ...packing }));
  };
  const batches = {
    imageSize: image.imageSize,
    dim,
    context: text.contextLength,
    readsPadding: readsPadding(config),
    sharesPrefixes: sharesPrefixes(config),
  };

  const imageFeatures = (batch: Dim) =>
    encodeImage(config, weights, input("pixels", [batch, 3, ...image.imageSize]));
  const textFeatures = (batch: Dim, length: Dim, packing?: Packing) =>
    encodeText(config, weights, input("ids", [batch, length], "int64"), { packing });
  const packing = (): Packing => ({
    places: input("places", ["tokens"], "int64"),
    rows: input("rows", ["batch*length"], "int64"),
    gaps: false,
  });
  let atOnce: number | undefined;
  const picturesAtOnce = (): number =>
    (atOnce ??= isMostlyLinear(imageFeatures(1)) ? picturesForMatrices : picturesForConvolutions);
  const open = (tower: Omit<TowerSource, "identity" | "dim">) =>
    once(() => openTower({ ...tower, identity, dim }, runtime, options));

  const imageProgram = open({
    name: "image",
    features: () => imageFeatures("batch"),
    one: () => imageFeatures(1),
    examples: async (program) => {
      const pictures = await examplePictures(model.preprocess);
      return pictures && images(program, pictures);
    },
  });
  const textProgram = open({
    name: "text",
    features: () =>
      packs
        ? textFeatures("batch", "length", packing())
        : textFeatures("batch", batches.readsPadding ? text.contextLength : "length"),
    one: () => textFeatures(1, text.contextLength),
    examples: async (program) => {
      const tower = encodeTextBatches(model, { ...batches, texts: (batch) => texts(program, batch) });
      return (await tower(exampleTexts)).features.data;
    },
  });

  return {
    model: {
      path: model.path,
      config,
      preprocess: model.preprocess,
      identity: identityIn(options.dtype, identity),
      get tokenizer() {
        return model.tokenizer;
      },
    },
    scale: Math.exp(number("logit_scale") ?? 0),
    bias: number("logit_bias") ?? 0,

    ...encodeBatches(model, {
      ...batches,
      picturesAtOnce,
      images: async (pixels) => images(await imageProgram.get(), pixels),
      texts: async (batch) => texts(await textProgram.get(), batch),
    }),

    openImages: () => imageProgram.get(),

    weights: async () => {
      const [pictures, texts] = await Promise.all([imageProgram.get(), textProgram.get()]);
      return { pictures: weightsOf(pictures), texts: weightsOf(texts) };
    },

    close: async () => {
      await Promise.all([imageProgram.close(), textProgram.close()]);
    },
  };
}

const weightsOf = ({ dtype, bytes }: TowerWeights): TowerWeights => ({ dtype, bytes });

const featuresOf = ({ features }: Readonly<Record<string, Tensor>>): Float32Array =>
  features!.data as Float32Array;

export type OpenEncoderOptions = TowerOptions & ForcedSizes & Pick<OpenOptions, "locate">;

/**
 * Opens whatever lies at a path as an encoder: weights of any layout, or else ONNX files.
 *
 * @throws as `openModel` and `openOnnxRepository` do; `usage` for ONNX files at other sizes than theirs
 */
export async function openEncoderAt(
  path: string,
  runtime: Runtime,
  { imageSize, contextLength, locate, ...options }: OpenEncoderOptions = {},
): Promise<Encoder> {
  if (!(await isOnnxRepository(path)))
    return openEncoder(await openModel(path, { imageSize, contextLength, locate }), runtime, options);
  if (imageSize !== undefined || contextLength !== undefined)
    throw new CliptError(
      "usage",
      `${path} holds ONNX files, whose sizes are fixed; its weights take others.`,
    );
  const { dtype } = options;
  return openOnnxEncoder(await openOnnxRepository(path, dtype === "auto" ? undefined : dtype), runtime);
}
