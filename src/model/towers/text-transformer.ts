import {
  add,
  argmax,
  cast,
  constant,
  equal,
  expand,
  gather,
  matmul,
  oneHot,
  range,
  reshape,
  slice,
  type Value,
} from "../../graph/index.js";
import { CliptError, i64, type Dim } from "../../tensor/index.js";
import { causalMask } from "../layers/attention.js";
import { blockSpec, transformer, type Block, type BlockConfig } from "../layers/block.js";
import { linear, linearSpec, project, type Linear } from "../layers/linear.js";
import { norm, normSpec, type Norm } from "../layers/norm.js";
import { apart, type PackedTexts } from "../layers/packing.js";
import { normalSpec, zerosSpec, type Spec } from "../spec.js";
import { textTokens, type Tower } from "./tower.js";

/** The text transformer of OpenAI, OpenCLIP and SigLIP. */
export interface TextTransformerConfig extends BlockConfig {
  readonly kind: "transformer";
  /** Rows of the position table: the most ids that a text may have. */
  readonly contextLength: number;
  readonly vocabSize: number;
  readonly layers: number;
  /** Whether a token sees only those before it. Where it sees all, padding takes part. */
  readonly causal: boolean;
  /** The token that stands for the text: that of the greatest id, the first, the last, or the first `eosId`. */
  readonly pool: "argmax" | "first" | "last" | "eos";
  readonly eosId?: number | undefined;
  /** "matrix": [width, dim], OpenAI's; "linear": [dim, width] and a bias; "none": the width is the space's. */
  readonly projection: "matrix" | "linear" | "none";
}

export interface TextTransformerWeights<T> {
  readonly positional_embedding: T;
  readonly text_projection?: T | Linear<T> | undefined;
  readonly token_embedding: { readonly weight: T };
  readonly transformer: { readonly resblocks: readonly Block<T>[] };
  readonly ln_final: Norm<T>;
}

/** Source: openai/CLIP `encode_text`, mlfoundations/open_clip `TextTransformer`. */
export const textTransformer: Tower<
  TextTransformerConfig,
  TextTransformerWeights<Spec>,
  TextTransformerWeights<Value>
> = {
  spec(config, embedDim) {
    const { width, layers, contextLength, vocabSize } = config;
    const std = width ** -0.5;
    const projections: Record<TextTransformerConfig["projection"], Spec | Linear<Spec> | undefined> = {
      matrix: normalSpec(std, width, embedDim),
      linear: linearSpec(width, embedDim, {
        weight: normalSpec(std, embedDim, width),
        bias: zerosSpec(embedDim),
      }),
      none: undefined,
    };
    return {
      positional_embedding: normalSpec(0.01, contextLength, width),
      text_projection: projections[config.projection],
      token_embedding: { weight: normalSpec(0.02, vocabSize, width) },
      transformer: { resblocks: Array.from({ length: layers }, () => textBlockSpec(config)) },
      ln_final: normSpec(width),
    };
  },

  readsPadding,

  packs: (config) => !readsPadding(config),

  sharesPrefixes: (config) => !readsPadding(config),

  tokens: textTokens,

  positions: ({ contextLength }) => ({ name: "positional_embedding", extra: 0, places: [contextLength] }),

  forward(config, w, ids, context) {
    const length = ids.shape[1]!;
    const packed = context.packing && { ...context.packing, shape: ids.shape };
    const tokens = embed(w, ids, packed);
    context.tap?.("text.embed", tokens);
    const mask = config.causal ? causalMask(length) : undefined;
    const pool = pools[config.pool](ids, config);
    const choose = (x: Value) => pool.choose(apart(x, packed));
    const narrow = { choose, mask: mask && pool.rowOf(mask), packed };
    const reading = context.tap === undefined ? narrow : undefined;
    const end = transformer(w.transformer.resblocks, tokens, config, {
      name: "text",
      context,
      mask,
      packed,
      reading,
    });
    const normed = norm(w.ln_final, end, config.eps);
    context.tap?.("text.ln_final", normed);
    const token = reading === undefined ? choose(normed) : normed;
    const pooled = reshape(token, [ids.shape[0]!, config.width]);
    context.tap?.("text.pooled", pooled);
    const projection = w.text_projection;
    if (projection === undefined) return pooled;
    return "weight" in projection ? linear(projection, pooled) : project(projection, pooled);
  },
};

/** open_clip's start of a text block: deeper towers add less. Source: open_clip `init_parameters`. */
function textBlockSpec(config: TextTransformerConfig): Block<Spec> {
  const spec = blockSpec(config);
  const { width, mlpWidth, layers } = config;
  const std = width ** -0.5;
  const added = std * (2 * layers) ** -0.5;
  return {
    ...spec,
    attn: {
      ...spec.attn,
      in_proj_weight: normalSpec(std, 3 * width, width),
      out_proj: { ...spec.attn.out_proj, weight: normalSpec(added, width, width) },
    },
    mlp: {
      c_fc: { ...spec.mlp.c_fc, weight: normalSpec((2 * width) ** -0.5, mlpWidth, width) },
      c_proj: { ...spec.mlp.c_proj, weight: normalSpec(added, width, mlpWidth) },
    },
  };
}

function readsPadding({ causal, pool }: TextTransformerConfig): boolean {
  return !causal || pool === "last";
}

/** Tokens and their positions: [batch, length, width], or [tokens, width] where texts are packed. */
function embed(w: TextTransformerWeights<Value>, ids: Value, packed: PackedTexts | undefined): Value {
  const [, length] = ids.shape;
  const { token_embedding, positional_embedding } = w;
  if (packed === undefined)
    return add(gather(token_embedding.weight, ids), positions(positional_embedding, length!));
  const columns = expand(reshape(range(length!), [1, length!]), ids.shape);
  const each = (x: Value) => gather(reshape(x, [-1]), packed.places);
  return add(gather(token_embedding.weight, each(ids)), gather(positional_embedding, each(columns)));
}

/** The first rows of the position table. A length that is known only at run time cannot be cut, but looked up. */
const positions = (table: Value, length: Dim): Value =>
  typeof length === "number" ? slice(table, 0, 0, length) : gather(table, range(length));

/** The token that stands for a text. */
interface Pool {
  /** [batch, length, width] → [batch, 1, width] */
  readonly choose: (x: Value) => Value;
  /** Its row of a mask [length, length], to be broadcast to [batch, heads, 1, length]. */
  readonly rowOf: (mask: Value) => Value;
}

const pools: Readonly<
  Record<TextTransformerConfig["pool"], (ids: Value, config: TextTransformerConfig) => Pool>
> = {
  // CLIP's end of text is the vocabulary's highest id, so argmax finds it; of several, the first.
  argmax: (ids) => atPlaces(argmax(ids), ids),
  eos: (ids, { eosId = 2 }) => atPlaces(argmax(cast(equal(ids, constant(i64([], [eosId]))), "int32")), ids),
  first: () => atPlace(0),
  last: (ids) => {
    const length = ids.shape[1]!;
    if (typeof length === "string")
      throw new CliptError("shape", "The last token is the padding's: such texts need a fixed length.");
    return atPlace(length - 1);
  },
};

const atPlace = (place: number): Pool => ({
  choose: (x) => slice(x, 1, place, place + 1),
  rowOf: (mask) => slice(mask, 0, place, place + 1),
});

/** A token of each text, chosen by a product with 1 and 0s: its way back is a product too. places: int64 [batch] */
function atPlaces(places: Value, { shape: [batch, length] }: Value): Pool {
  const chosen = reshape(oneHot(places, length!), [batch!, 1, length!]);
  return {
    choose: (x) => matmul(chosen, x),
    rowOf: (mask) => reshape(gather(mask, places), [batch!, 1, 1, length!]),
  };
}
