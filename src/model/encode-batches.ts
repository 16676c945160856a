import { CliptError, f32, showShape, tensor, type Tensor } from "../tensor/index.js";
import type { Encoder } from "./encoder.js";

/** Two towers in whatever form they run, a batch at a time. */
export interface Towers {
  /** [height, width], px. */
  readonly imageSize: readonly [number, number];
  /** Width of the shared space. */
  readonly dim: number;
  /** The most ids of a text. */
  readonly context: number;
  /** Whether rows must be as long as the context. */
  readonly readsPadding: boolean;
  /** @returns unit rows of float32 [pictures, 3, height, width] */
  images(pixels: Tensor<"float32">): Promise<Float32Array>;
  /**
   * @param lengths of the rows without their padding
   * @returns       unit rows of int64 [texts, length]
   */
  texts(ids: Tensor<"int64">, lengths: readonly number[]): Promise<Float32Array>;
}

/** Rows of one run: enough to fill the matrices, and few enough that the values between layers stay small. */
const imagesAtOnce = 32;
const textsAtOnce = 64;

/** Any number of pictures and texts in batches. */
export function encodeBatches(
  model: Pick<Encoder["model"], "tokenizer">,
  towers: Towers,
): Pick<Encoder, "images" | "texts"> {
  const { imageSize, dim } = towers;
  return {
    async images(pixels) {
      const [count = 0, ...rest] = pixels.shape;
      const wanted = [3, ...imageSize];
      if (pixels.dtype !== "float32" || rest.join() !== wanted.join())
        throw new CliptError(
          "shape",
          `Pictures of ${pixels.dtype}${showShape(rest)} were given; the model reads float32${showShape(wanted)}.`,
        );
      const size = wanted.reduce((a, b) => a * b);
      const features = new Float32Array(count * dim);
      for (let from = 0; from < count; from += imagesAtOnce) {
        const to = Math.min(count, from + imagesAtOnce);
        const part = (pixels.data as Float32Array).subarray(from * size, to * size);
        features.set(await towers.images(f32([to - from, ...wanted], part)), from * dim);
      }
      return f32([count, dim], features);
    },

    async texts(texts) {
      const { tokenizer } = model;
      const context = Math.min(towers.context, tokenizer.contextLength);
      const rows = texts.map((text) => tokenizer.encode(text, context));
      const { pad } = tokenizer.identity().frame;
      // Neighbours in length share a batch, so that little of it is padding.
      const order = rows.map((_, i) => i).sort((a, b) => rows[a]!.ids.length - rows[b]!.ids.length);
      const features = new Float32Array(texts.length * dim);
      for (let from = 0; from < order.length; from += textsAtOnce) {
        const places = order.slice(from, from + textsAtOnce);
        const lengths = places.map((place) => rows[place]!.ids.length);
        const length = towers.readsPadding ? towers.context : lengths.at(-1)!;
        const ids = new BigInt64Array(places.length * length).fill(BigInt(pad));
        places.forEach((place, i) => ids.set(rows[place]!.ids.map(BigInt), i * length));
        const found = await towers.texts(tensor("int64", [places.length, length], ids), lengths);
        places.forEach((place, i) => features.set(found.subarray(i * dim, (i + 1) * dim), place * dim));
      }
      const truncated = rows.flatMap(({ truncatedFrom }, i) => (truncatedFrom === undefined ? [] : [i]));
      return { features: f32([texts.length, dim], features), truncated };
    },
  };
}
