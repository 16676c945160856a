import { z } from "zod";
import { cleanings } from "../../input/text/clean/clean.js";
import { activations } from "../layers/activation.js";
import { blockCount, blockCountOrZero, count, countOrZero, idCount, side, sides } from "./fields.js";

// clipt's own configurations as they are in files. What the towers' numbers must be to each other, the shapes of the
// weights tell; here each is only what it can be at all.

const height = z.tuple([side, side]);
const names = <T extends string>(record: Readonly<Record<T, unknown>>) =>
  z.enum(Object.keys(record) as [T, ...T[]]);

const blocks = {
  width: count,
  heads: count,
  mlpWidth: count,
  activation: names(activations),
  eps: z.number().positive(),
  layerScale: z.number().optional(),
};
const timmProjection = z.enum(["none", "classifier", "linear", "linear-bias"]);
const head = z.looseObject({
  kind: z.enum(["linear", "mlp"]),
  hidden: count.optional(),
  standardise: z.boolean().optional(),
  dropout: z.tuple([z.number(), z.number()]).optional(),
});

const image = z.discriminatedUnion("kind", [
  z.looseObject({
    kind: z.literal("vit"),
    imageSize: height,
    ...blocks,
    patchSize: side,
    layers: blockCount,
    pool: z.enum(["tok", "avg"]),
    lnPre: z.boolean(),
    lnAfterPool: z.boolean(),
  }),
  z.looseObject({
    kind: z.literal("timm-vit"),
    imageSize: height,
    ...blocks,
    patchSize: side,
    layers: blockCount,
    convStem: z.array(z.int().min(1).max(32)).min(1).max(8).optional(),
    classToken: z.enum(["placed", "unplaced"]).optional(),
    normPre: z.boolean().optional(),
    projection: timmProjection,
  }),
  z.looseObject({
    kind: z.literal("resnet"),
    imageSize: height,
    layers: z.array(blockCount).length(4),
    width: count,
    heads: count,
  }),
  z.looseObject({
    kind: z.literal("efficientnet-lite"),
    imageSize: height,
    stem: count,
    stages: z
      .array(
        z.looseObject({
          kernel: z.int().min(1).max(31),
          stride: z.int().min(1).max(8),
          expand: z.int().min(1).max(64),
          channels: count,
          blocks: blockCount,
        }),
      )
      .min(1)
      .max(32),
    features: count,
    seen: z.array(countOrZero).optional(),
    head,
  }),
  z.looseObject({
    kind: z.literal("fastvit"),
    imageSize: height,
    stages: z
      .array(
        z.looseObject({
          width: count,
          blocks: blockCount,
          mlpWidth: count,
          mixer: z.enum(["repmixer", "attention"]),
          squeeze: count.optional(),
        }),
      )
      .min(1)
      .max(8),
    stemScale: z.boolean(),
    norm: z.enum(["batch", "layer"]),
    folded: z.boolean(),
    projection: timmProjection,
  }),
]);

const text = z.discriminatedUnion("kind", [
  z.looseObject({
    kind: z.literal("transformer"),
    contextLength: idCount,
    vocabSize: count,
    ...blocks,
    layers: blockCountOrZero,
    causal: z.boolean(),
    pool: z.enum(["argmax", "first", "last", "eos"]),
    eosId: countOrZero.optional(),
    projection: z.enum(["matrix", "linear", "none"]),
  }),
  z.looseObject({
    kind: z.literal("bert"),
    contextLength: idCount,
    vocabSize: count,
    ...blocks,
    layers: blockCountOrZero,
    padId: countOrZero,
    positions: idCount,
    positionsAfterPad: z.boolean(),
    tokenTypes: countOrZero,
    pool: z.enum(["mean", "max", "cls", "cls_last_hidden_state"]),
    projection: z.enum(["linear", "linear-bias", "mlp", "none"]),
  }),
  z.looseObject({
    kind: z.literal("sentence-encoder"),
    contextLength: idCount,
    vocabSize: count,
    padId: countOrZero,
    width: count,
    table: z.enum(["uint8", "uint4"]),
    features: z.enum(["result", "result+pooled", "result+pooled+mean"]),
    head,
  }),
]);

export const modelFields = z.looseObject({
  embedDim: count,
  image,
  text,
  customText: z.boolean(),
  score: z.enum(["softmax", "sigmoid"]),
  initLogitScale: z.number(),
  initLogitBias: z.number().optional(),
});

export const preprocessFields = z.looseObject({
  size: sides,
  resizeMode: z.enum(["shortest", "longest", "squash"]),
  scaleTo: z.union([sides, z.literal("none")]).optional(),
  interpolation: z.enum(["nearest", "bilinear", "bicubic"]),
  mean: z.array(z.number()).length(3),
  std: z.array(z.number().positive()).length(3),
  rescale: z.number().positive().optional(),
  fillColor: z.int().min(0).max(255),
  convert: z.enum(["late", "early", "white"]),
  cropRounding: z.enum(["even", "floor"]),
  order: z.enum(["pillow13", "horizontal"]).optional(),
});

const cleaning = names(cleanings);

export const tokenizerFields = z.discriminatedUnion("kind", [
  z.looseObject({ kind: z.literal("clip-bpe"), cleaning, pad: z.enum(["zero", "end"]), context: idCount }),
  z.looseObject({
    kind: z.literal("sentencepiece"),
    cleaning,
    frame: z.looseObject({
      start: countOrZero.optional(),
      end: countOrZero.optional(),
      pad: countOrZero,
      padTo: z.enum(["context", "longest"]),
      context: idCount,
    }),
  }),
  z.looseObject({
    kind: z.literal("hugging-face"),
    cleaning: cleaning.optional(),
    lowerCase: z.boolean().optional(),
    stripSep: z.boolean().optional(),
    context: idCount,
    pad: countOrZero.optional(),
    name: z.string().optional(),
  }),
]);
