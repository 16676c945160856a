import { join } from "node:path";
import { input, type Dtype, type Value } from "../graph/index.js";
import type { Program, Runtime } from "../runtime/index.js";
import { CliptError, toFloat32, type Tensor } from "../tensor/index.js";
import { encodeImage, encodeText, normalize, readsPadding } from "./clip.js";
import { encodeBatches } from "./encode-batches.js";
import type { Encoder } from "./encoder.js";
import { withLightWeights } from "./light-weights.js";
import { once } from "./once.js";
import { openOnnxEncoder } from "./onnx/encoder.js";
import { isOnnxRepository } from "./onnx/files.js";
import { openOnnxRepository } from "./onnx/repository.js";
import { openModel, type Model } from "./open.js";
import type { ForcedSizes } from "./sizes.js";
import { constants } from "./values.js";

export interface EncoderOptions {
  /** How weights are held and computed with. Default "fp32". */
  readonly dtype?: Dtype | undefined;
  /** Where light weights are kept between calls; without it they are made each time. */
  readonly cacheFolder?: string | undefined;
}

export async function openEncoder(
  model: Model,
  runtime: Runtime,
  { dtype = "fp32", cacheFolder }: EncoderOptions = {},
): Promise<Encoder> {
  const { config } = model;
  const { embedDim, image, text } = config;
  const weights = constants(config, model.weights, model.locations);
  const number = (name: string) => {
    const found = model.weights.get(name);
    return found && toFloat32(found).data[0];
  };
  const compile = async (tower: string, features: Value): Promise<Program> => {
    const file = `${model.identity}.${tower}.${dtype}.safetensors`;
    const path = cacheFolder && join(cacheFolder, "weights", file);
    return runtime.compile(await withLightWeights({ features: normalize(features) }, dtype, path));
  };
  const imageProgram = once(() => {
    const pixels = input("pixels", ["batch", 3, ...image.imageSize]);
    return compile("image", encodeImage(config, weights, pixels));
  });
  const textProgram = once(() => {
    const ids = input("ids", ["batch", readsPadding(config) ? text.contextLength : "length"], "int64");
    return compile("text", encodeText(config, weights, ids));
  });

  return {
    model,
    scale: Math.exp(number("logit_scale") ?? 0),
    bias: number("logit_bias") ?? 0,

    ...encodeBatches(model, {
      imageSize: image.imageSize,
      dim: embedDim,
      context: text.contextLength,
      readsPadding: readsPadding(config),
      images: async (pixels) => featuresOf(await (await imageProgram.get()).run({ pixels })),
      texts: async (ids) => featuresOf(await (await textProgram.get()).run({ ids })),
    }),

    close: async () => {
      await Promise.all([imageProgram.close(), textProgram.close()]);
    },
  };
}

const featuresOf = ({ features }: Readonly<Record<string, Tensor>>): Float32Array =>
  features!.data as Float32Array;

/**
 * Opens whatever lies at a path as an encoder: weights of any layout, or else ONNX files.
 *
 * @throws as `openModel` and `openOnnxRepository` do; `usage` for ONNX files at other sizes than theirs
 */
export async function openEncoderAt(
  path: string,
  runtime: Runtime,
  { imageSize, contextLength, ...options }: EncoderOptions & ForcedSizes = {},
): Promise<Encoder> {
  if (!(await isOnnxRepository(path)))
    return openEncoder(await openModel(path, { imageSize, contextLength }), runtime, options);
  if (imageSize !== undefined || contextLength !== undefined)
    throw new CliptError(
      "usage",
      `${path} holds ONNX files, whose sizes are fixed; its weights take others.`,
    );
  return openOnnxEncoder(await openOnnxRepository(path, options.dtype), runtime);
}
