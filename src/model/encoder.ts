import { join } from "node:path";
import { input, type Dtype, type Value } from "../graph/index.js";
import type { Program, Runtime } from "../runtime/index.js";
import { CliptError, f32, showShape, tensor, toFloat32, type Tensor } from "../tensor/index.js";
import { encodeImage, encodeText, normalize, readsPadding } from "./clip.js";
import { withLightWeights } from "./light-weights.js";
import type { Model } from "./open.js";
import { constants } from "./values.js";

/** A model's two towers, ready to run. A tower is compiled when it is first used. */
export interface Encoder {
  readonly model: Model;
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

/** Rows of one run: enough to fill the matrices, and few enough that the values between layers stay small. */
const imagesAtOnce = 32;
const textsAtOnce = 64;

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

    async images(pixels) {
      const [count = 0, ...rest] = pixels.shape;
      const wanted = [3, ...image.imageSize];
      if (pixels.dtype !== "float32" || rest.join() !== wanted.join())
        throw new CliptError(
          "shape",
          `Pictures of ${pixels.dtype}${showShape(rest)} were given; the model reads float32${showShape(wanted)}.`,
        );
      const size = wanted.reduce((a, b) => a * b);
      const features = new Float32Array(count * embedDim);
      const program = await imageProgram.get();
      for (let from = 0; from < count; from += imagesAtOnce) {
        const to = Math.min(count, from + imagesAtOnce);
        const part = (pixels.data as Float32Array).subarray(from * size, to * size);
        const result = await program.run({ pixels: f32([to - from, ...wanted], part) });
        features.set(result["features"]!.data as Float32Array, from * embedDim);
      }
      return f32([count, embedDim], features);
    },

    async texts(texts) {
      const { tokenizer } = model;
      const context = Math.min(text.contextLength, tokenizer.contextLength);
      const rows = texts.map((text) => tokenizer.encode(text, context));
      const { pad } = tokenizer.identity().frame;
      // Neighbours in length share a batch, so that little of it is padding.
      const order = rows.map((_, i) => i).sort((a, b) => rows[a]!.ids.length - rows[b]!.ids.length);
      const features = new Float32Array(texts.length * embedDim);
      const program = await textProgram.get();
      for (let from = 0; from < order.length; from += textsAtOnce) {
        const places = order.slice(from, from + textsAtOnce);
        const longest = rows[places.at(-1)!]!.ids.length;
        const length = readsPadding(config) ? text.contextLength : longest;
        const ids = new BigInt64Array(places.length * length).fill(BigInt(pad));
        places.forEach((place, i) => ids.set(rows[place]!.ids.map(BigInt), i * length));
        const result = await program.run({ ids: tensor("int64", [places.length, length], ids) });
        const found = result["features"]!.data as Float32Array;
        places.forEach((place, i) =>
          features.set(found.subarray(i * embedDim, (i + 1) * embedDim), place * embedDim),
        );
      }
      const truncated = rows.flatMap(({ truncatedFrom }, i) => (truncatedFrom === undefined ? [] : [i]));
      return { features: f32([texts.length, embedDim], features), truncated };
    },

    close: async () => {
      await Promise.all([imageProgram.close(), textProgram.close()]);
    },
  };
}

/** A program that is compiled at its first use, once even when several ask at the same time. */
function once(compile: () => Promise<Program>): { get(): Promise<Program>; close(): Promise<void> } {
  let program: Promise<Program> | undefined;
  return {
    get: () => (program ??= compile()),
    close: async () => (await program)?.close(),
  };
}
