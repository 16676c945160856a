import { add, type Value } from "../../graph/index.js";
import { normalSpec, zerosSpec, type Spec } from "../spec.js";
import { activations } from "./activation.js";
import { attend, type Seating } from "./attention.js";
import type { BlockConfig } from "./block.js";
import { linear, linearSpec, type Linear } from "./linear.js";
import { norm, normSpec, type Norm } from "./norm.js";
import { apart, together } from "./packing.js";

/** A product, the sum with what went in, and the norm of that. */
interface Added<T> {
  readonly dense: Linear<T>;
  readonly LayerNorm: Norm<T>;
}

/** A layer of BERT; names are transformers'. */
export interface BertLayer<T> {
  readonly attention: {
    readonly self: { readonly query: Linear<T>; readonly key: Linear<T>; readonly value: Linear<T> };
    readonly output: Added<T>;
  };
  readonly intermediate: { readonly dense: Linear<T> };
  readonly output: Added<T>;
}

/** BERT's own start: deviation 0.02, biases 0. */
export const bertLinearSpec = (inputs: number, outputs: number): Linear<Spec> =>
  linearSpec(inputs, outputs, { weight: normalSpec(0.02, outputs, inputs), bias: zerosSpec(outputs) });

export function bertLayerSpec({ width, mlpWidth }: BlockConfig): BertLayer<Spec> {
  const square = bertLinearSpec(width, width);
  return {
    attention: {
      self: { query: square, key: square, value: square },
      output: { dense: square, LayerNorm: normSpec(width) },
    },
    intermediate: { dense: bertLinearSpec(width, mlpWidth) },
    output: { dense: bertLinearSpec(mlpWidth, width), LayerNorm: normSpec(width) },
  };
}

/**
 * Post-norm block: each half is normalised after it was added.
 *
 * @param x       [batch, length, width], or [tokens, width] where texts are packed
 * @param seating its mask hides keys
 * @param choose  x → [batch, chosen, width]: tokens that are read; the others take part as keys and values only
 * @returns       x's shape, or [batch, chosen, width]
 * @source        transformers `BertLayer`
 */
export function bertLayer(
  w: BertLayer<Value>,
  x: Value,
  config: BlockConfig,
  { mask, packed }: Seating,
  choose?: (x: Value) => Value,
): Value {
  const { query, key, value } = w.attention.self;
  const of = (part: Linear<Value>) => apart(linear(part, x), packed);
  const asking = choose === undefined ? x : choose(x);
  const queries = choose === undefined ? of(query) : linear(query, asking);
  const answers = attend(queries, of(key), of(value), config.heads, mask);
  const found = choose === undefined ? together(answers, packed) : answers;
  const y = added(w.attention.output, found, asking, config.eps);
  const inner = activations[config.activation](linear(w.intermediate.dense, y));
  return added(w.output, inner, y, config.eps);
}

const added = ({ dense, LayerNorm }: Added<Value>, branch: Value, x: Value, eps: number): Value =>
  norm(LayerNorm, add(linear(dense, branch), x), eps);
