import { add, concat, expand, mean, reshape, slice, type Value } from "../../graph/index.js";
import { CliptError, showShape } from "../../tensor/index.js";
import { blockSpec, transformer, type Block, type BlockConfig } from "../layers/block.js";
import { project } from "../layers/linear.js";
import { norm, normSpec, type Norm } from "../layers/norm.js";
import { patchEmbedding, patchEmbeddingSpec, type PatchEmbedding } from "../layers/patch-embedding.js";
import { normalSpec, type Spec } from "../spec.js";
import { patchGrid, type Tower } from "./tower.js";

/** OpenAI's and OpenCLIP's Vision Transformer. */
export interface VitConfig extends BlockConfig {
  readonly kind: "vit";
  /** [height, width], px. */
  readonly imageSize: readonly [number, number];
  /** Side of a patch, px. */
  readonly patchSize: number;
  readonly layers: number;
  /** "tok": the class token; "avg": the mean of all others. */
  readonly pool: "tok" | "avg";
  /** Whether tokens are normalised before the first block. */
  readonly lnPre: boolean;
  /** Whether the last norm runs on the pooled vector instead of on all tokens. */
  readonly lnAfterPool: boolean;
}

export interface VitWeights<T> {
  readonly class_embedding: T;
  readonly positional_embedding: T;
  readonly proj: T;
  readonly conv1: PatchEmbedding<T>;
  readonly ln_pre?: Norm<T> | undefined;
  readonly transformer: { readonly resblocks: readonly Block<T>[] };
  readonly ln_post: Norm<T>;
}

/** Source: openai/CLIP `VisionTransformer`, mlfoundations/open_clip `VisionTransformer`. */
export const vit: Tower<VitConfig, VitWeights<Spec>, VitWeights<Value>> = {
  spec(config, embedDim) {
    const { width, layers, imageSize, patchSize } = config;
    const [rows, columns] = patchGrid(imageSize, patchSize);
    const std = width ** -0.5;
    return {
      class_embedding: normalSpec(std, width),
      positional_embedding: normalSpec(std, 1 + rows * columns, width),
      proj: normalSpec(std, width, embedDim),
      conv1: patchEmbeddingSpec(width, patchSize, false),
      ln_pre: config.lnPre ? normSpec(width) : undefined,
      transformer: { resblocks: Array.from({ length: layers }, () => blockSpec(config)) },
      ln_post: normSpec(width),
    };
  },

  positions: ({ imageSize, patchSize }) => ({
    name: "positional_embedding",
    extra: 1,
    places: patchGrid(imageSize, patchSize),
  }),

  tokens({ imageSize, patchSize }) {
    const [rows, columns] = patchGrid(imageSize, patchSize);
    return 1 + rows * columns;
  },

  forward(config, w, pixels, context) {
    const tokens = embed(w, pixels);
    context.tap?.("image.embed", tokens);
    const start = w.ln_pre === undefined ? tokens : norm(w.ln_pre, tokens, config.eps);
    context.tap?.("image.ln_pre", start);
    const reading = config.pool === "tok" && context.tap === undefined ? { choose: first } : undefined;
    const end = transformer(w.transformer.resblocks, start, config, { name: "image", context, reading });
    const pooled = config.lnAfterPool ? last(pool(end)) : pool(last(end));
    context.tap?.("image.pooled", pooled);
    return project(w.proj, pooled);

    function last(x: Value): Value {
      const result = norm(w.ln_post, x, config.eps);
      context.tap?.("image.ln_post", result);
      return result;
    }

    function pool(x: Value): Value {
      const [batch, length, width] = x.shape;
      if (config.pool === "tok") return reshape(first(x), [batch!, width!]);
      return reshape(mean(slice(x, 1, 1, length as number), 1), [batch!, width!]);
    }
  },
};

/** The class token: [batch, 1, width]. */
const first = (x: Value): Value => slice(x, 1, 0, 1);

/** Class token, then patches, plus positions: [batch, 1 + patches, width]. */
function embed(w: VitWeights<Value>, pixels: Value): Value {
  const patches = patchEmbedding(w.conv1, pixels);
  const [batch, count, width] = patches.shape;
  const rows = w.positional_embedding.shape[0];
  if (rows !== 1 + (count as number))
    throw new CliptError(
      "shape",
      `Pictures of ${showShape(pixels.shape)} make ${count} patches; the model has positions for ${(rows as number) - 1}.`,
    );
  const start = expand(reshape(w.class_embedding, [1, 1, width!]), [batch!, 1, width!]);
  return add(concat([start, patches], 1), w.positional_embedding);
}
