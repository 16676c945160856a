import {
  add,
  cast,
  concat,
  constant,
  conv,
  div,
  equal,
  floor,
  gather,
  mul,
  relu,
  reshape,
  slice,
  sqrt,
  sub,
  sum,
  tanh,
  transpose,
  where,
  type Value,
} from "../../graph/index.js";
import { i64 } from "../../tensor/index.js";
import { head, headSpec, type Head, type HeadConfig } from "../layers/head.js";
import { linear, linearSpec, type Linear } from "../layers/linear.js";
import { norm, normSpec, type Norm } from "../layers/norm.js";
import { filledSpec, normalSpec, onesSpec, zerosSpec, type Spec } from "../spec.js";
import type { Tower } from "./tower.js";

/**
 * Universal Sentence Encoder, multilingual, convolutional: pieces are looked up, seen through windows of two,
 * three and five, summed over the text, and go through a small dense network. No attention: cost grows with length.
 * Source: Yang et al., "Multilingual Universal Sentence Encoder for Semantic Retrieval" (2019), and the published
 * weights of version 3, whose forward pass the goldens of this tower come from.
 */
export interface SentenceEncoderConfig {
  readonly kind: "sentence-encoder";
  readonly contextLength: number;
  readonly vocabSize: number;
  /** Stands behind the end of shorter texts; no piece of a text has it. */
  readonly padId: number;
  /** Width of a piece. */
  readonly width: number;
  /** How a piece's numbers are kept: a byte each, or two in a byte. Both with a scale and a lowest value per piece. */
  readonly table: "uint8" | "uint4";
  /** What the head sees: the encoder's result; the pooled vector before its dense end; the mean of the pieces. */
  readonly features: "result" | "result+pooled" | "result+pooled+mean";
  /** From the features to the shared space. */
  readonly head: HeadConfig;
}

interface Branch<T> {
  readonly proj: Linear<T>;
  readonly norm: Norm<T>;
  readonly conv1: { readonly weight: T; readonly bias: T };
  readonly conv2: { readonly weight: T; readonly bias: T };
}

interface Trunk<T> {
  /** values: [vocab, width], or [vocab, width / 2] with the first half of a row in the low four bits. */
  readonly embedding: { readonly values: T; readonly scale: T; readonly low: T };
  readonly branches: readonly Branch<T>[];
  readonly norm: Norm<T>;
  readonly pool: Linear<T>;
  readonly dense: {
    readonly first: Linear<T>;
    readonly second: Linear<T>;
    readonly second_skip: Linear<T>;
    readonly third: Linear<T>;
    readonly last: Linear<T>;
    readonly last_skip: Linear<T>;
  };
}

export interface SentenceEncoderWeights<T> {
  readonly trunk: Trunk<T>;
  readonly head: Head<T>;
}

/** Windows over the pieces: how many, and how many of them before the piece itself. */
const windows = [
  { size: 2, before: 0 },
  { size: 3, before: 1 },
  { size: 5, before: 2 },
] as const;
const branchWidth = 256;
const hidden = 320;
const dense = 512;
const headWidths = (joined: number): Record<SentenceEncoderConfig["features"], number> => ({
  result: dense,
  "result+pooled": 2 * dense,
  "result+pooled+mean": 2 * dense + joined,
});
/** The published weights', far below what rounding makes. */
const eps = 1e-12;

export const sentenceEncoder: Tower<
  SentenceEncoderConfig,
  SentenceEncoderWeights<Spec>,
  SentenceEncoderWeights<Value>
> = {
  spec({ vocabSize, width, table, features, head: headConfig }, embedDim) {
    const joined = width + windows.length * branchWidth;
    const frozen = (spec: Spec): Spec => ({ ...spec, buffer: true });
    return {
      trunk: {
        embedding: {
          values: frozen(filledSpec(0, [vocabSize, table === "uint4" ? width / 2 : width])),
          scale: frozen(onesSpec(vocabSize)),
          low: frozen(zerosSpec(vocabSize)),
        },
        branches: windows.map(({ size }) => ({
          proj: linearSpec(width, branchWidth),
          norm: normSpec(branchWidth),
          conv1: windowSpec(size),
          conv2: windowSpec(size),
        })),
        norm: normSpec(joined),
        pool: linearSpec(joined, dense),
        dense: {
          first: linearSpec(dense, hidden, { bias: false }),
          second: linearSpec(dense, hidden, { bias: false }),
          second_skip: linearSpec(hidden, hidden, { bias: false }),
          third: linearSpec(hidden, dense, { bias: false }),
          last: linearSpec(hidden, dense, { bias: false }),
          last_skip: linearSpec(dense, dense, { bias: false }),
        },
      },
      head: headSpec(headConfig, headWidths(joined)[features], embedDim),
    };
  },

  forward({ padId, table, features, head: headConfig }, { trunk, head: headWeights }, ids, context) {
    const [batch] = ids.shape;
    const there = where(equal(ids, constant(i64([], [padId]))), 0, 1); // [batch, length]
    const shown = reshape(there, [...ids.shape, 1]);
    const pieces = lookUp(trunk.embedding, ids, table);
    const seen = trunk.branches.map((branch, i) => through(branch, windows[i]!, pieces, shown));
    const each = norm(trunk.norm, concat([pieces, ...seen], -1), eps); // [batch, length, joined]
    const total = reshape(sum(mul(each, shown), 1), [batch!, -1]);
    // Everything behind this value depends on the text through it alone: training may start here.
    const cut = concat([total, sum(there, 1)], 1);
    context.tap?.("text.sum", cut);
    const pooled = pool(trunk.pool, cut);
    const result = denseEnd(trunk.dense, pooled);
    context.tap?.("text.result", result);
    const seenByHead = concat([result, pooled, meanOf(cut)].slice(0, features.split("+").length), 1);
    context.tap?.("text.pooled", seenByHead);
    return head(headConfig, headWeights, seenByHead, context);
  },
};

/** A convolution along the text; [out, in, size, 1], so that it is one over a picture of width 1. */
const windowSpec = (size: number): { weight: Spec; bias: Spec } => ({
  weight: normalSpec((branchWidth * size) ** -0.5, branchWidth, branchWidth, size, 1),
  bias: zerosSpec(branchWidth),
});

/** ids [batch, length] → [batch, length, width]. */
function lookUp(
  { values, scale, low }: Trunk<Value>["embedding"],
  ids: Value,
  table: SentenceEncoderConfig["table"],
): Value {
  const bytes = cast(gather(values, ids), "float32");
  const perPiece = (x: Value) => reshape(cast(gather(x, ids), "float32"), [...ids.shape, 1]);
  const high = floor(mul(bytes, 1 / 16));
  const numbers = table === "uint4" ? concat([sub(bytes, mul(high, 16)), high], -1) : bytes;
  return add(mul(numbers, perPiece(scale)), perPiece(low));
}

/** One branch: pieces [batch, length, width] → [batch, length, branchWidth]. */
function through(w: Branch<Value>, window: (typeof windows)[number], pieces: Value, shown: Value): Value {
  const padding = { pads: [window.before, 0, window.size - 1 - window.before, 0] as const };
  const layer = ({ weight, bias }: Branch<Value>["conv1"], x: Value): Value => {
    const [batch, length, width] = x.shape;
    const column = reshape(transpose(x, [0, 2, 1]), [batch!, width!, length!, 1]);
    const y = conv(column, weight, { ...padding, bias });
    return add(relu(transpose(reshape(y, [batch!, width!, length!]), [0, 2, 1])), x);
  };
  const x = mul(norm(w.norm, linear(w.proj, pieces), eps), shown);
  const h = mul(layer(w.conv1, x), shown);
  return layer(w.conv2, h);
}

/** cut: [batch, joined + 1], the summed pieces and how many there were → [batch, dense]. */
function pool({ weight, bias }: Linear<Value>, cut: Value): Value {
  const joined = (cut.shape[1] as number) - 1;
  const total = slice(cut, 1, 0, joined);
  const count = slice(cut, 1, joined, joined + 1);
  return div(add(linear({ weight }, total), mul(count, bias!)), sqrt(count));
}

/** The mean of the pieces, [batch, joined]. */
function meanOf(cut: Value): Value {
  const joined = (cut.shape[1] as number) - 1;
  return div(slice(cut, 1, 0, joined), slice(cut, 1, joined, joined + 1));
}

/** [batch, dense] → [batch, dense], unit rows. */
function denseEnd(w: Trunk<Value>["dense"], pooled: Value): Value {
  const first = relu(linear(w.first, pooled));
  const second = relu(add(linear(w.second, pooled), linear(w.second_skip, first)));
  const third = relu(linear(w.third, second));
  const last = tanh(add(linear(w.last, second), linear(w.last_skip, third)));
  return div(last, sqrt(sum(mul(last, last), -1)));
}
