import {
  add,
  constant,
  less,
  matmul,
  mul,
  range,
  reshape,
  softmax,
  split,
  transpose,
  where,
  type Value,
} from "../../graph/index.js";
import { f32, type Dim } from "../../tensor/index.js";
import { uniformSpec, zerosSpec, type Spec } from "../spec.js";
import { linear, linearSpec, type Linear } from "./linear.js";
import { apart, together, type PackedTexts } from "./packing.js";

/** in_proj_weight: [3·width, width], rows of queries, keys and values; in_proj_bias: [3·width]. */
export interface Attention<T> {
  readonly in_proj_weight: T;
  readonly in_proj_bias?: T | undefined;
  readonly out_proj: Linear<T>;
}

/** The start of torch's `MultiheadAttention`: Xavier's bound for the joined matrix, no biases. */
export const attentionSpec = (width: number): Attention<Spec> => ({
  in_proj_weight: uniformSpec(Math.sqrt(6 / (4 * width)), 3 * width, width),
  in_proj_bias: zerosSpec(3 * width),
  out_proj: linearSpec(width, width, { bias: zerosSpec(width) }),
});

/** Whom a token may look at, and where tokens stand. */
export interface Seating {
  /** Added to the scores [batch, heads, queries, keys]. */
  readonly mask?: Value | undefined;
  /** Present: x is [tokens, width]. */
  readonly packed?: PackedTexts | undefined;
}

/** Self-attention over the middle axis. x: [batch, length, width] → same. */
export function attention(
  w: Attention<Value>,
  x: Value,
  heads: number,
  { mask, packed }: Seating = {},
): Value {
  const joined = apart(linear({ weight: w.in_proj_weight, bias: w.in_proj_bias }, x), packed);
  const width = x.shape.at(-1) as number;
  const [q, k, v] = split(joined, 2, [width, width, width]);
  return linear(w.out_proj, together(attend(q!, k!, v!, heads, mask), packed));
}

/**
 * The same for chosen tokens only: each of them looks at all.
 *
 * @param chosen [batch, queries, width], tokens of x
 * @returns      [batch, queries, width]
 */
export function attentionOf(
  chosen: Value,
  w: Attention<Value>,
  x: Value,
  heads: number,
  { mask, packed }: Seating = {},
): Value {
  const width = x.shape.at(-1) as number;
  const [toQuery, toPair] = split(w.in_proj_weight, 0, [width, 2 * width]);
  const [queryBias, pairBias] = w.in_proj_bias ? split(w.in_proj_bias, 0, [width, 2 * width]) : [];
  const q = linear({ weight: toQuery!, bias: queryBias }, chosen);
  const [k, v] = split(apart(linear({ weight: toPair!, bias: pairBias }, x), packed), 2, [width, width]);
  return linear(w.out_proj, attend(q, k!, v!, heads, mask));
}

/**
 * What each query finds: softmax(q·kᵀ/√d + mask)·v per head.
 *
 * @param q [batch, queries, width]
 * @param k [batch, keys, width]
 * @param v [batch, keys, width]
 * @returns [batch, queries, width], heads side by side
 */
export function attend(q: Value, k: Value, v: Value, heads: number, mask?: Value): Value {
  const size = (q.shape[2] as number) / heads;
  const apart = (x: Value) => reshape(x, [x.shape[0]!, x.shape[1]!, heads, size]);
  const queries = transpose(apart(q), [0, 2, 1, 3]); // [batch, heads, queries, size]
  const keys = transpose(apart(k), [0, 2, 3, 1]); // [batch, heads, size, keys]
  const values = transpose(apart(v), [0, 2, 1, 3]); // [batch, heads, keys, size]
  const scores = mul(matmul(queries, keys), size ** -0.5);
  const weights = softmax(mask === undefined ? scores : add(scores, mask));
  return reshape(transpose(matmul(weights, values), [0, 2, 1, 3]), q.shape);
}

/** [length, length]: 0 where a key is not later than its query, −∞ elsewhere. */
export function causalMask(length: Dim): Value {
  if (typeof length === "number") {
    const data = Float32Array.from({ length: length * length }, (_, i) =>
      i % length > Math.floor(i / length) ? -Infinity : 0,
    );
    return constant(f32([length, length], data));
  }
  const places = range(length);
  return where(less(reshape(places, [length, 1]), reshape(places, [1, length])), -Infinity, 0);
}
