import {
  f32,
  isFloat,
  quantiseBlocks,
  quantiseRows,
  sizeOf,
  toFloat16,
  toFloat32,
  transposed,
  withShape,
  type DType,
  type Tensor,
} from "../tensor/index.js";
import {
  add,
  cast,
  constant,
  fourBitBlock,
  type Gemm,
  type Split,
  gather,
  matmul4,
  matmulInteger,
  mul,
  quantise,
  reshape,
} from "./ops/index.js";
import { rewrite, type Rule } from "./rewrite.js";
import { flopsOf } from "./flops.js";
import { topological, type ConstantAttrs, type Node, type Value } from "./value.js";

/**
 * How a program holds its weights, by transformers.js' names. "fp32": as they are. "fp16": halved, widened when the program
 * is opened. "q8": linear layers in bytes of seven bits, one factor per output, with inputs that are quantised as they come (what ONNX
 * Runtime's `quantize_dynamic` writes, per channel and with a reduced range). "q4": linear layers in four bits, one factor per 32 weights.
 */
export const dtypes = ["fp32", "fp16", "q8", "q4"] as const;
export type Dtype = (typeof dtypes)[number];

/**
 * Turns light weights into constants. Whoever keeps them in a file need not make them again.
 *
 * @param name says which weights these are in the whole program
 */
export type Keep = (name: string, make: () => Tensor) => Value;

/** Keeps nothing: the weights are part of the program. */
export const inProgram: Keep = (name, make) => constant(make(), { name });

/** The same results by a program with lighter weights. */
export function lighten<R extends Readonly<Record<string, Value>>>(
  results: R,
  dtype: Dtype,
  keep: Keep = inProgram,
): R {
  const kept = new Map<string, Value>();
  const keepOnce: Keep = (name, make) => {
    const value = kept.get(name) ?? keep(name, make);
    kept.set(name, value);
    return value;
  };
  const became = rewrite(Object.values(results), rules[dtype](keepOnce));
  return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, became(value)])) as R;
}

const rules: Readonly<Record<Dtype, (keep: Keep) => Rule>> = {
  fp32: () => () => undefined,

  fp16: (keep) => (node) => {
    const weight = node.op.name === "constant" ? weightOf(node.outputs[0]!) : undefined;
    if (weight?.dtype !== "float32" || weight.shape.length < 2) return undefined;
    return [
      cast(
        keep(weight.name, () => toFloat16(weight.tensor())),
        "float32",
      ),
    ];
  },

  q8: (keep) => (node, inputs) => {
    const linear = linearOf(node);
    if (linear === undefined) return lightTable(node, inputs, keep);
    const { name, rows } = linear;
    const packed = lazily(() => quantiseRows(rows(), sevenBits));
    const weights = keep(`${name}.columns`, () => transposed(packed().values));
    const scale = keep(`${name}.columns_scale`, () => packed().scale);
    const x = quantise(inputs[0]!);
    // In this order ONNX Runtime makes one operation of it.
    return withBias(mul(cast(matmulInteger(x, weights), "float32"), mul(x.scale, scale)), inputs[2]);
  },

  q4: (keep) => (node, inputs) => {
    const linear = linearOf(node);
    if (linear === undefined) return lightTable(node, inputs, keep);
    const { name, rows } = linear;
    if (linear.inner % fourBitBlock !== 0) return undefined;
    const packed = lazily(() => quantiseBlocks(rows(), fourBitBlock));
    const values = keep(`${name}.blocks`, () => packed().values);
    const scale = keep(`${name}.blocks_scale`, () => packed().scale);
    return withBias(matmul4(inputs[0]!, values, scale), inputs[2]);
  },
};

/**
 * The largest weight in bytes. Processors without VNNI add products of two pairs in 16 bits, which 2 · 255 · 127 overflows:
 * a trial without this had a cosine of 0.98 to float32, with it 0.9998, and on all processors the same.
 */
const sevenBits = 64;

const withBias = (y: Value, bias: Value | undefined): Value[] => [bias === undefined ? y : add(y, bias)];

/**
 * Work of a program that its linear layers do, and others: what "q8" and "q4" make faster, and what they leave.
 *
 * @returns floating-point operations; NaN when a length is known only at run time
 */
export function linearWork(results: readonly Value[]): { readonly linear: number; readonly others: number } {
  let [linear, others] = [0, 0];
  for (const node of topological(results))
    if (linearOf(node) === undefined) others += flopsOf(node);
    else linear += flopsOf(node);
  return { linear, others };
}

/** Smaller tables are not worth a second look-up. */
const largeTable = 1 << 20;

/** A large table of vectors in bytes, one factor per row. */
function lightTable(
  { op, inputs: [table] }: Node,
  inputs: readonly Value[],
  keep: Keep,
): Value[] | undefined {
  const weight = op.name === "gather" ? weightOf(table!) : undefined;
  if (weight?.shape.length !== 2 || sizeOf(weight.shape) < largeTable) return undefined;
  const packed = lazily(() => quantiseRows(weight.tensor()));
  const values = gather(
    keep(`${weight.name}.rows`, () => packed().values),
    inputs[1]!,
  );
  const scale = gather(
    keep(`${weight.name}.rows_scale`, () => packed().scale),
    inputs[1]!,
  );
  return [mul(cast(values, "float32"), reshape(scale, [...scale.shape, 1]))];
}

/** Weights of a model as a program sees them: a named constant, perhaps widened, reshaped or cut on the way. */
interface Weight {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly tensor: () => Tensor;
}

function weightOf({ node, index, dtype, shape }: Value): Weight | undefined {
  if (node.op.name === "constant") {
    const { name, tensor } = node.attrs as ConstantAttrs;
    if (name === undefined || !isFloat(dtype)) return undefined;
    return { name, dtype, shape: tensor.shape, tensor: () => tensor };
  }
  const cut = node.op.name === "split" ? (node.attrs as Split) : undefined;
  if (node.op.name !== "cast" && node.op.name !== "reshape" && cut?.axis !== 0) return undefined;
  const whole = weightOf(node.inputs[0]!);
  if (whole === undefined) return undefined;
  const fixed = shape as readonly number[];
  if (cut === undefined) return { ...whole, shape: fixed, tensor: () => withShape(whole.tensor(), fixed) };
  const width = sizeOf(fixed.slice(1));
  const begin = width * cut.sizes.slice(0, index).reduce((a, b) => a + b, 0);
  return {
    name: `${whole.name}.${index}`,
    dtype,
    shape: fixed,
    tensor: () => f32(fixed, toFloat32(whole.tensor()).data.subarray(begin, begin + sizeOf(fixed))),
  };
}

/** A linear layer of constant weights: `rows` are [outputs, inner]. */
interface LinearLayer {
  readonly name: string;
  readonly inner: number;
  readonly rows: () => Tensor;
}

function linearOf({ op, attrs, inputs: [, weights] }: Node): LinearLayer | undefined {
  if (op.name !== "gemm") return undefined;
  const { transA, transB } = attrs as Gemm;
  const weight = weightOf(weights!);
  if (weight === undefined || transA) return undefined;
  const [first = 0, second = 0] = weight.shape;
  return transB
    ? { name: weight.name, inner: second, rows: weight.tensor }
    : { name: `${weight.name}.transposed`, inner: first, rows: () => transposed(weight.tensor()) };
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
