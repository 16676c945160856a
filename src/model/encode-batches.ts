import { CliptError, f32, showShape, tensor, type Tensor } from "../tensor/index.js";
import type { Model } from "./open.js";
import { commonLength, type TextBatch } from "./pack-texts.js";

/**
 * @param pixels [pictures, 3, height, width], preprocessed
 * @returns      [pictures, dim], unit rows
 */
export type EncodeImages = (pixels: Tensor) => Promise<Tensor<"float32">>;

/** @returns [texts, dim], unit rows, and the places of texts that were longer than the model reads */
export type EncodeTexts = (
  texts: readonly string[],
) => Promise<{ features: Tensor<"float32">; truncated: number[] }>;

/** Two towers in whatever form they run, a batch at a time. */
export interface Towers {
  /** [height, width], px. */
  readonly imageSize: readonly [number, number];
  /** Width of the shared space. */
  readonly dim: number;
  /** Pictures in one run. */
  readonly picturesAtOnce?: (() => number) | undefined;
  /** The most ids of a text. */
  readonly context: number;
  /** Whether rows must be as long as the context. */
  readonly readsPadding: boolean;
  /** Whether texts that begin alike cost less together. */
  readonly sharesPrefixes?: boolean;
  /** @returns unit rows of float32 [pictures, 3, height, width] */
  images: (pixels: Tensor<"float32">) => Promise<Float32Array>;
  /** @returns unit rows */
  texts: (batch: TextBatch) => Promise<Float32Array>;
}

/**
 * Rows of one run: enough to fill the matrices, and few enough that the values between layers stay small and that towers
 * which share the work end at about the same time.
 */
const idsAtOnce = 512;
export const picturesForMatrices = 32;
/** The values between convolutions are large, and each picture fills their loops: more only leave the processor's caches. */
export const picturesForConvolutions = 4;

/** Any number of pictures and texts in batches. */
export const encodeBatches = (
  model: Pick<Model, "tokenizer">,
  towers: Towers,
): { images: EncodeImages; texts: EncodeTexts } => ({
  images: encodeImageBatches(towers),
  texts: encodeTextBatches(model, towers),
});

export const encodeImageBatches =
  ({
    imageSize,
    dim,
    images,
    picturesAtOnce = () => picturesForMatrices,
  }: Pick<Towers, "imageSize" | "dim" | "images" | "picturesAtOnce">): EncodeImages =>
  async (pixels) => {
    const [count = 0, ...rest] = pixels.shape;
    const wanted = [3, ...imageSize];
    if (pixels.dtype !== "float32" || rest.join() !== wanted.join())
      throw new CliptError(
        "shape",
        `Pictures of ${pixels.dtype}${showShape(rest)} were given; the model reads float32${showShape(wanted)}.`,
      );
    const size = wanted.reduce((a, b) => a * b);
    const features = new Float32Array(count * dim);
    const atOnce = picturesAtOnce();
    for (let from = 0; from < count; from += atOnce) {
      const to = Math.min(count, from + atOnce);
      const part = (pixels.data as Float32Array).subarray(from * size, to * size);
      features.set(await images(f32([to - from, ...wanted], part)), from * dim);
    }
    return f32([count, dim], features);
  };

export const encodeTextBatches =
  (
    model: Pick<Model, "tokenizer">,
    {
      dim,
      context,
      readsPadding,
      sharesPrefixes = false,
      texts: encode,
    }: Pick<Towers, "dim" | "context" | "readsPadding" | "sharesPrefixes" | "texts">,
  ): EncodeTexts =>
  async (texts) => {
    const { tokenizer } = model;
    const most = Math.min(context, tokenizer.contextLength);
    const encoded = texts.map((text) => tokenizer.encode(text, most));
    const rows = encoded.map(({ ids }) => ids);
    const { pad } = tokenizer.identity().frame;
    const features = new Float32Array(texts.length * dim);
    const run = async (places: number[]): Promise<void> => {
      if (sharesPrefixes) places.sort((a, b) => compare(rows[a]!, rows[b]!));
      const lengths = places.map((place) => rows[place]!.length);
      const length = readsPadding ? context : Math.max(...lengths);
      const ids = new BigInt64Array(places.length * length).fill(BigInt(pad));
      places.forEach((place, i) => ids.set(rows[place]!.map(BigInt), i * length));
      const found = await encode({ ids: tensor("int64", [places.length, length], ids), lengths });
      places.forEach((place, i) => features.set(found.subarray(i * dim, (i + 1) * dim), place * dim));
    };
    await Promise.all(byLength(rows, readsPadding ? context : undefined).map(run));
    const truncated = encoded.flatMap(({ truncatedFrom }, i) => (truncatedFrom === undefined ? [] : [i]));
    return { features: f32([texts.length, dim], features), truncated };
  };

type Rows = readonly (readonly number[])[];

/** Neighbours in length share a batch, which holds with its padding about as many ids as are computed at once. */
function byLength(rows: Rows, fixed: number | undefined): number[][] {
  const order = rows.map((_, i) => i).sort((a, b) => rows[a]!.length - rows[b]!.length);
  const batches: number[][] = [];
  for (const place of order) {
    const batch = batches.at(-1);
    const length = fixed ?? rows[place]!.length;
    if (batch !== undefined && (batch.length + 1) * length <= idsAtOnce) batch.push(place);
    else batches.push([place]);
  }
  return batches;
}

/** By their first difference: texts that begin alike become neighbours. */
function compare(a: readonly number[], b: readonly number[]): number {
  const at = commonLength(a, b);
  return (a[at] ?? -1) - (b[at] ?? -1);
}
