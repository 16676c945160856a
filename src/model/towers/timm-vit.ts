import { add, type Value } from "../../graph/index.js";
import { transformer, type BlockConfig } from "../layers/block.js";
import { linear, linearSpec, type Linear } from "../layers/linear.js";
import { mapPool, mapPoolSpec, type MapPool } from "../layers/map-pool.js";
import { norm, normSpec, type Norm } from "../layers/norm.js";
import { patchEmbedding, patchEmbeddingSpec, type PatchEmbedding } from "../layers/patch-embedding.js";
import { fromTimm, timmBlockSpec, type TimmBlock } from "../layers/timm-block.js";
import { normalSpec, type Spec } from "../spec.js";
import type { Tower } from "./tower.js";

/** SigLIP's Vision Transformer: no class token, attention pooling at the end; timm's names. */
export interface TimmVitConfig extends BlockConfig {
  readonly kind: "timm-vit";
  /** [height, width], px. */
  readonly imageSize: readonly [number, number];
  /** Side of a patch, px. */
  readonly patchSize: number;
  readonly layers: number;
  /** "none": what the pool returns is the feature; the others: a linear layer follows, without or with a bias. */
  readonly projection: "none" | "linear" | "linear-bias";
}

export interface TimmVitWeights<T> {
  readonly trunk: {
    readonly patch_embed: { readonly proj: PatchEmbedding<T> };
    /** [1, patches, width] */
    readonly pos_embed: T;
    readonly blocks: readonly TimmBlock<T>[];
    readonly norm: Norm<T>;
    readonly attn_pool: MapPool<T>;
  };
  readonly head?: { readonly proj: Linear<T> } | undefined;
}

/** Source: timm `VisionTransformer` with `global_pool="map"`. */
export const timmVit: Tower<TimmVitConfig, TimmVitWeights<Spec>, TimmVitWeights<Value>> = {
  spec(config, embedDim) {
    const { width, layers, imageSize, patchSize, projection } = config;
    const patches = imageSize.reduce((count, side) => count * Math.floor(side / patchSize), 1);
    return {
      trunk: {
        patch_embed: { proj: patchEmbeddingSpec(width, patchSize, true) },
        pos_embed: normalSpec(0.02, 1, patches, width),
        blocks: Array.from({ length: layers }, () => timmBlockSpec(config)),
        norm: normSpec(width),
        attn_pool: mapPoolSpec(config),
      },
      head:
        projection === "none"
          ? undefined
          : { proj: linearSpec(width, embedDim, projection === "linear" ? { bias: false } : {}) },
    };
  },

  forward(config, { trunk, head }, pixels, context) {
    const tokens = add(patchEmbedding(trunk.patch_embed.proj, pixels), trunk.pos_embed);
    context.tap?.("image.embed", tokens);
    context.tap?.("image.ln_pre", tokens);
    const end = transformer(trunk.blocks.map(fromTimm), tokens, config, { name: "image", context });
    const normed = norm(trunk.norm, end, config.eps);
    context.tap?.("image.ln_post", normed);
    const pooled = mapPool(trunk.attn_pool, normed, config);
    context.tap?.("image.pooled", pooled);
    return head === undefined ? pooled : linear(head.proj, pooled);
  },
};
