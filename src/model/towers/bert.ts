import {
  add,
  cast,
  constant,
  div,
  equal,
  expand,
  gather,
  less,
  matmul,
  mul,
  range,
  reduceMax,
  reshape,
  slice,
  sum,
  tanh,
  where,
  type Value,
} from "../../graph/index.js";
import { CliptError, i64, type Dim } from "../../tensor/index.js";
import { gelu } from "../layers/activation.js";
import { bertLayer, bertLayerSpec, bertLinearSpec, type BertLayer } from "../layers/bert-layer.js";
import type { BlockConfig } from "../layers/block.js";
import { linear, linearSpec, type Linear } from "../layers/linear.js";
import { norm, normSpec, type Norm } from "../layers/norm.js";
import { apart, type PackedTexts } from "../layers/packing.js";
import { normalSpec, type Spec } from "../spec.js";
import type { Tower } from "./tower.js";

/**
 * BERT and those built like it (RoBERTa, XLM-RoBERTa, DistilBERT) as a text tower: every token sees every other,
 * padding is hidden from all, and the tokens that are left are pooled and projected.
 */
export interface BertConfig extends BlockConfig {
  readonly kind: "bert";
  /** The most ids that a text may have. */
  readonly contextLength: number;
  readonly vocabSize: number;
  readonly layers: number;
  /** Id of the padding; wherever it stands, it is no part of the text. */
  readonly padId: number;
  /** Rows of the position table. */
  readonly positions: number;
  /** Whether positions are counted from `padId` + 1, and over the text alone: RoBERTa's rule. */
  readonly positionsAfterPad: boolean;
  /** Rows of the table of token types. All tokens are of the first; 0: there is no table. */
  readonly tokenTypes: number;
  /** The text's mean or maximum, or its first token: as it is, or through BERT's own dense layer ("cls"). */
  readonly pool: "mean" | "max" | "cls" | "cls_last_hidden_state";
  /** "mlp": two layers without biases and a GELU between them; "none": the width is the space's. */
  readonly projection: "linear" | "linear-bias" | "mlp" | "none";
}

/** The most ids of a text for which there are positions. */
export const longestText = (config: Pick<BertConfig, "positions" | "positionsAfterPad" | "padId">): number =>
  config.positions - (config.positionsAfterPad ? config.padId + 1 : 0);

/** Names are those of transformers below `transformer`, and OpenCLIP's for the projection. */
export interface BertWeights<T> {
  readonly transformer: {
    readonly embeddings: {
      readonly word_embeddings: { readonly weight: T };
      readonly position_embeddings: { readonly weight: T };
      readonly token_type_embeddings?: { readonly weight: T } | undefined;
      readonly LayerNorm: Norm<T>;
    };
    readonly encoder: { readonly layer: readonly BertLayer<T>[] };
    readonly pooler?: { readonly dense: Linear<T> } | undefined;
  };
  readonly proj?: Linear<T> | { readonly 0: Linear<T>; readonly 2: Linear<T> } | undefined;
}

/** Source: transformers `BertModel`, `RobertaModel`; mlfoundations/open_clip `HFTextEncoder`. */
export const bert: Tower<BertConfig, BertWeights<Spec>, BertWeights<Value>> = {
  spec(config, embedDim) {
    const { width, layers, vocabSize, positions, tokenTypes, pool, projection } = config;
    if (config.contextLength > longestText(config))
      throw new CliptError(
        "usage",
        `Texts of ${config.contextLength} ids are longer than the tower's positions, which end at ${longestText(config)}.`,
      );
    const table = (rows: number) => ({ weight: normalSpec(0.02, rows, width) });
    const hidden = Math.floor((width + embedDim) / 2);
    const unbiased = (inputs: number, outputs: number) => linearSpec(inputs, outputs, { bias: false });
    const projections: Record<BertConfig["projection"], BertWeights<Spec>["proj"]> = {
      linear: unbiased(width, embedDim),
      "linear-bias": linearSpec(width, embedDim),
      mlp: { 0: unbiased(width, hidden), 2: unbiased(hidden, embedDim) },
      none: undefined,
    };
    return {
      transformer: {
        embeddings: {
          word_embeddings: table(vocabSize),
          position_embeddings: table(positions),
          token_type_embeddings: tokenTypes === 0 ? undefined : table(tokenTypes),
          LayerNorm: normSpec(width),
        },
        encoder: { layer: Array.from({ length: layers }, () => bertLayerSpec(config)) },
        pooler: pool === "cls" ? { dense: bertLinearSpec(width, width) } : undefined,
      },
      proj: projections[projection],
    };
  },

  packs: () => true,

  forward(config, { transformer, proj }, ids, context) {
    const packed = context.packing && { ...context.packing, shape: ids.shape };
    const there = where(equal(ids, constant(i64([], [config.padId]))), 0, 1); // [batch, length]
    const start = embed(config, transformer.embeddings, ids, there, packed);
    context.tap?.("text.embed", start);
    const seating = { mask: hiding(there), packed };
    const { layer: layers } = transformer.encoder;
    const { choose, finish } = pools[config.pool];
    const narrow = choose && ((x: Value) => choose(apart(x, packed)));
    // An inspection or a training that starts in the middle wants all tokens of the last layer, too.
    const reading = context.tap === undefined && layers.length > 0 ? narrow : undefined;
    const end = layers.reduce((x, w, i) => {
      const y = bertLayer(w, x, config, seating, i === layers.length - 1 ? reading : undefined);
      context.block?.([x, seating.mask], y);
      context.tap?.(`text.block.${i}`, y);
      return y;
    }, start);
    const read = reading === undefined ? (narrow?.(end) ?? apart(end, packed)) : end;
    const pooled = finish(read, there, transformer);
    context.tap?.("text.pooled", pooled);
    if (proj === undefined) return pooled;
    return "weight" in proj ? linear(proj, pooled) : linear(proj[2], gelu(linear(proj[0], pooled)));
  },
};

type Transformer = BertWeights<Value>["transformer"];

/** ids, there: [batch, length] → [batch, length, width], or [tokens, width] where texts are packed. */
function embed(
  { positionsAfterPad, padId, eps }: BertConfig,
  { word_embeddings, position_embeddings, token_type_embeddings, LayerNorm }: Transformer["embeddings"],
  ids: Value,
  there: Value,
  packed: PackedTexts | undefined,
): Value {
  const length = ids.shape[1]!;
  const places = positionsAfterPad
    ? add(counted(there), constant(i64([], [padId])))
    : expand(reshape(range(length), [1, length]), ids.shape);
  const each = (x: Value) => (packed === undefined ? x : gather(reshape(x, [-1]), packed.places));
  const look = (table: { readonly weight: Value }, rows: Value) => gather(table.weight, each(rows));
  const words = add(look(word_embeddings, ids), look(position_embeddings, places));
  const typed =
    token_type_embeddings === undefined ? words : add(words, slice(token_type_embeddings.weight, 0, 0, 1));
  return norm(LayerNorm, typed, eps);
}

/** Each token's number in its text, from 1; 0 for padding. there: [batch, length] → int64, same. */
function counted(there: Value): Value {
  const length = there.shape[1]!;
  return cast(mul(matmul(there, notLater(length)), there), "int64");
}

/** [length, length]: 1 where the row does not come after the column. */
function notLater(length: Dim): Value {
  const places = range(length);
  return where(less(reshape(places, [1, length]), reshape(places, [length, 1])), 0, 1);
}

/** Added to scores: hides padding from every query. there: [batch, length] → [batch, 1, 1, length]. */
function hiding(there: Value): Value {
  const [batch, length] = there.shape;
  // Not −∞: a text that is all padding would have no number left.
  return reshape(mul(add(there, -1), 1e9), [batch!, 1, 1, length!]);
}

/** How tokens become one vector. */
interface Pool {
  /** The tokens that it reads, [batch, length, width] → [batch, chosen, width]; absent: all of them. */
  readonly choose?: (x: Value) => Value;
  /** x: what was chosen; there: [batch, length] → [batch, width] */
  readonly finish: (x: Value, there: Value, w: Transformer) => Value;
}

const first = (x: Value): Value => slice(x, 1, 0, 1);
const flat = (x: Value): Value => reshape(x, [x.shape[0]!, x.shape[2]!]);

const pools: Readonly<Record<BertConfig["pool"], Pool>> = {
  mean: {
    finish(x, there) {
      const [batch, length] = there.shape;
      return div(flat(matmul(reshape(there, [batch!, 1, length!]), x)), sum(there, 1));
    },
  },
  max: {
    finish(x, there) {
      const hidden = less(reshape(there, [...there.shape, 1]), 1);
      return flat(reduceMax(where(hidden, -Infinity, x), 1));
    },
  },
  cls: { choose: first, finish: (x, _, { pooler }) => tanh(linear(pooler!.dense, flat(x))) },
  cls_last_hidden_state: { choose: first, finish: flat },
};
