import { add, concat, expand, reshape, slice, type Value } from "../../graph/index.js";
import type { Context } from "../context.js";
import { transformer, type BlockConfig } from "../layers/block.js";
import { convStem, convStemSpec, type ConvStem } from "../layers/conv-stem.js";
import type { Linear } from "../layers/linear.js";
import { mapPool, mapPoolSpec, type MapPool } from "../layers/map-pool.js";
import { norm, normSpec, type Norm } from "../layers/norm.js";
import { patchEmbedding, patchEmbeddingSpec, type PatchEmbedding } from "../layers/patch-embedding.js";
import { fromTimm, timmBlockSpec, type TimmBlock } from "../layers/timm-block.js";
import {
  classifierSpec,
  timmHeadSpec,
  timmProject,
  type TimmHead,
  type TimmProjection,
} from "../layers/timm-head.js";
import { normalSpec, type Spec } from "../spec.js";
import { patchGrid, type Tower } from "./tower.js";

/** timm's Vision Transformer: SigLIP's, pooled by attention, and MobileCLIP's, whose class token is the result. */
export interface TimmVitConfig extends BlockConfig {
  readonly kind: "timm-vit";
  /** [height, width], px. */
  readonly imageSize: readonly [number, number];
  /** Side of a patch, px. */
  readonly patchSize: number;
  readonly layers: number;
  /** Strides of several convolutions that make the patches; absent: one convolution does. */
  readonly convStem?: readonly number[] | undefined;
  /** Whether the class token has a row in the position table; absent: there is none, and attention pools. */
  readonly classToken?: "placed" | "unplaced" | undefined;
  /** Whether tokens are normalised before the first block; the patches have no bias then. */
  readonly normPre?: boolean | undefined;
  readonly projection: TimmProjection;
}

export interface TimmVitWeights<T> {
  readonly trunk: {
    readonly cls_token?: T | undefined;
    readonly patch_embed: { readonly proj: PatchEmbedding<T> } | { readonly backbone: ConvStem<T> };
    /** [1, tokens that have a place, width] */
    readonly pos_embed: T;
    readonly norm_pre?: Norm<T> | undefined;
    readonly blocks: readonly TimmBlock<T>[];
    readonly norm: Norm<T>;
    readonly attn_pool?: MapPool<T> | undefined;
    readonly head?: Linear<T> | undefined;
  };
  readonly head?: TimmHead<T> | undefined;
}

/** Source: timm `VisionTransformer`. */
export const timmVit: Tower<TimmVitConfig, TimmVitWeights<Spec>, TimmVitWeights<Value>> = {
  spec(config, embedDim) {
    const { width, layers, imageSize, patchSize, classToken, normPre = false, projection } = config;
    const [rows, columns] = patchGrid(imageSize, patchSize);
    return {
      trunk: {
        cls_token: classToken && normalSpec(1e-6, 1, 1, width),
        patch_embed: config.convStem
          ? { backbone: convStemSpec(width, config.convStem) }
          : { proj: patchEmbeddingSpec(width, patchSize, !normPre) },
        pos_embed: normalSpec(0.02, 1, rows * columns + (classToken === "placed" ? 1 : 0), width),
        norm_pre: normPre ? normSpec(width) : undefined,
        blocks: Array.from({ length: layers }, () => timmBlockSpec(config)),
        norm: normSpec(width),
        attn_pool: classToken ? undefined : mapPoolSpec(config),
        head: classifierSpec(projection, width, embedDim),
      },
      head: timmHeadSpec(projection, width, embedDim),
    };
  },

  positions: ({ imageSize, patchSize, classToken }) => ({
    name: "trunk.pos_embed",
    extra: classToken === "placed" ? 1 : 0,
    places: patchGrid(imageSize, patchSize),
  }),

  tokens({ imageSize, patchSize, classToken }) {
    const [rows, columns] = patchGrid(imageSize, patchSize);
    return rows * columns + (classToken ? 1 : 0);
  },

  forward(config, { trunk, head }, pixels, context) {
    const tokens = embed(config, trunk, pixels, context);
    context.tap?.("image.embed", tokens);
    const start = trunk.norm_pre === undefined ? tokens : norm(trunk.norm_pre, tokens, config.eps);
    context.tap?.("image.ln_pre", start);
    const reading = trunk.cls_token && context.tap === undefined ? { choose: first } : undefined;
    const end = transformer(trunk.blocks.map(fromTimm), start, config, { name: "image", context, reading });
    const normed = norm(trunk.norm, end, config.eps);
    context.tap?.("image.ln_post", normed);
    const pooled =
      trunk.attn_pool === undefined
        ? reshape(first(normed), [normed.shape[0]!, normed.shape[2]!])
        : mapPool(trunk.attn_pool, normed, config);
    context.tap?.("image.pooled", pooled);
    return timmProject(trunk.head, head, pooled);
  },
};

/** The class token: [batch, 1, width]. */
const first = (x: Value): Value => slice(x, 1, 0, 1);

/** The class token where there is one, then patches, plus positions: [batch, tokens, width]. */
function embed(
  { classToken }: TimmVitConfig,
  { patch_embed: stem, cls_token: start, pos_embed: positions }: TimmVitWeights<Value>["trunk"],
  pixels: Value,
  context: Context,
): Value {
  const patches =
    "backbone" in stem
      ? convStem(stem.backbone, pixels, "visual.trunk.patch_embed.backbone", context)
      : patchEmbedding(stem.proj, pixels);
  if (start === undefined) return add(patches, positions);
  const [batch, , width] = patches.shape;
  const withFirst = (x: Value) => concat([expand(start, [batch!, 1, width!]), x], 1);
  return classToken === "placed" ? add(withFirst(patches), positions) : withFirst(add(patches, positions));
}
