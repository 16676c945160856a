import { join } from "node:path";
import { input, type Dtype, type Value } from "../graph/index.js";
import type { Program, Runtime } from "../runtime/index.js";
import { toFloat32, type Tensor } from "../tensor/index.js";
import { encodeImage, encodeText, normalize, readsPadding } from "./clip.js";
import type { ClipConfig } from "./config.js";
import { encodeBatches } from "./encode-batches.js";
import { withLightWeights } from "./light-weights.js";
import type { Model } from "./open.js";
import { constants } from "./values.js";

/** What an encoder tells of its model. */
export interface EncoderModel extends Pick<Model, "path" | "preprocess" | "tokenizer" | "identity"> {
  readonly config: Pick<ClipConfig, "embedDim" | "score">;
}

/** A model's two towers, ready to run. A tower is compiled when it is first used. */
export interface Encoder {
  readonly model: EncoderModel;
  /** Factor before cosines, exp(logit_scale). */
  readonly scale: number;
  /** Term after it; 0 where the model has none. */
  readonly bias: number;
  /**
   * @param pixels [pictures, 3, height, width], preprocessed
   * @returns      [pictures, dim], unit rows
   */
  images(pixels: Tensor): Promise<Tensor<"float32">>;
  /** @returns [texts, dim], unit rows, and the places of texts that were longer than the model reads */
  texts(texts: readonly string[]): Promise<{ features: Tensor<"float32">; truncated: number[] }>;
  /** Frees the programs; the runtime stays. */
  close(): Promise<void>;
}

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

/** A program that is compiled at its first use, once even when several ask at the same time. */
export function once(compile: () => Promise<Program>): { get(): Promise<Program>; close(): Promise<void> } {
  let program: Promise<Program> | undefined;
  return {
    get: () => (program ??= compile()),
    close: async () => (await program)?.close(),
  };
}
