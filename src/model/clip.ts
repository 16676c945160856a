import { add, clip, div, exp, matmul, mul, sqrt, sum, swap, type Value } from "../graph/index.js";
import type { ClipConfig } from "./config.js";
import type { Context } from "./context.js";
import { filledSpec, type Spec } from "./spec.js";
import {
  imageTowers,
  textTowers,
  type ImageTowerConfig,
  type ImageWeights,
  type TextTowerConfig,
  type TextWeights,
} from "./towers/index.js";
import type { PositionTable, Tower } from "./towers/tower.js";

/** All weights of a model. Dotted paths (`flatten`) are OpenCLIP's names. */
export type ClipWeights<T> = {
  readonly visual: ImageWeights<T>;
  readonly logit_scale: T;
  readonly logit_bias?: T | undefined;
} & ({ readonly text: TextWeights<T> } | TextWeights<T>);

// A configuration and its weights are of one kind, which the type system cannot follow through a table.
const imageTower = ({ kind }: ImageTowerConfig) =>
  imageTowers[kind] as unknown as Tower<ImageTowerConfig, ImageWeights<Spec>, ImageWeights<Value>>;
const textTower = ({ kind }: TextTowerConfig) =>
  textTowers[kind] as unknown as Tower<TextTowerConfig, TextWeights<Spec>, TextWeights<Value>>;

/** Which weights a model has, and how new ones are drawn. */
export function clipSpec(config: ClipConfig): ClipWeights<Spec> {
  const { embedDim, image, text, customText, initLogitScale, initLogitBias } = config;
  const textSpec = textTower(text).spec(text, embedDim);
  return {
    ...(customText ? { text: textSpec } : textSpec),
    visual: imageTower(image).spec(image, embedDim),
    logit_scale: filledSpec(initLogitScale, []),
    ...(initLogitBias === undefined ? {} : { logit_bias: filledSpec(initLogitBias, []) }),
  };
}

/**
 * Pictures in the shared space.
 *
 * @param pixels [batch, 3, height, width], preprocessed
 * @returns      [batch, embedDim], not normalised
 */
export const encodeImage = (
  { image }: ClipConfig,
  w: ClipWeights<Value>,
  pixels: Value,
  context: Context = {},
): Value => imageTower(image).forward(image, w.visual, pixels, context);

/**
 * Texts in the shared space.
 *
 * @param ids int64 [batch, length]
 * @returns   [batch, embedDim], not normalised
 */
export const encodeText = (
  { text }: ClipConfig,
  w: ClipWeights<Value>,
  ids: Value,
  context: Context = {},
): Value => textTower(text).forward(text, "text" in w ? w.text : w, ids, context);

/** Rows that a tower's layers compute for one input of a batch; undefined where the batch cannot be computed in parts. */
export const tokensOf = {
  image: ({ image }: ClipConfig, { shape }: Value) => imageTower(image).tokens?.(image, shape),
  text: ({ text }: ClipConfig, { shape }: Value) => textTower(text).tokens?.(text, shape),
};

/** Whether rows of ids must be as long as the context, because the text tower reads their padding. */
export const readsPadding = ({ text }: ClipConfig): boolean => textTower(text).readsPadding?.(text) ?? false;

/** Whether the text tower takes `context.packing`. */
export const packsTexts = ({ text }: ClipConfig): boolean => textTower(text).packs?.(text) ?? false;

/** Whether tokens of texts that begin alike are the same tokens, so that they need be computed once only. */
export const sharesPrefixes = ({ text }: ClipConfig): boolean =>
  textTower(text).sharesPrefixes?.(text) ?? false;

/** The towers' tables of positions, under their full names. */
export function positionTables({
  image,
  text,
  customText,
}: ClipConfig): Record<"image" | "text", PositionTable | undefined> {
  const below = (prefix: string, table: PositionTable | undefined) =>
    table && { ...table, name: prefix + table.name };
  return {
    image: below("visual.", imageTower(image).positions?.(image)),
    text: below(customText ? "text." : "", textTower(text).positions?.(text)),
  };
}

/** Rows of length 1; a row of zeros stays. x: [rows, dim] → same. Source: torch `F.normalize`, eps 1e-12. */
export function normalize(x: Value): Value {
  // The limit is put on the square, where float32 still holds it: 1e-24.
  return div(x, sqrt(clip(sum(mul(x, x), -1), 1e-24, Infinity)));
}

/**
 * Scores of all pictures against all texts: exp(logit_scale) · cosine + logit_bias.
 *
 * @param imageFeatures [images, dim], unit rows
 * @param textFeatures  [texts, dim], unit rows
 * @returns             [images, texts]
 */
export function logits(w: ClipWeights<Value>, imageFeatures: Value, textFeatures: Value): Value {
  const scaled = mul(matmul(imageFeatures, swap(textFeatures)), exp(w.logit_scale));
  return w.logit_bias === undefined ? scaled : add(scaled, w.logit_bias);
}
