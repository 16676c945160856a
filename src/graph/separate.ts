import { byteSize, sizeOf, type Tensor } from "../tensor/index.js";
import { constant, gemm, reshape, split, unpack, type Gemm, type Split } from "./ops/index.js";
import { rewrite } from "./rewrite.js";
import type { ConstantAttrs, Value } from "./value.js";

/**
 * A product of matrices whose columns are split at once becomes one product for each part: the same numbers without a copy.
 * For programs that encode; a way back would have to add what its three become.
 */
export function separateProducts<R extends Readonly<Record<string, Value>>>(results: R): R {
  const became = rewrite(Object.values(results), ({ op, attrs }, [x]) => {
    if (op.name !== "split") return undefined;
    const { axis, sizes } = attrs as Split;
    if (axis === 0) return partsOf(x!, sizes);
    return axis === x!.shape.length - 1 ? products(x!, sizes) : undefined;
  });
  return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, became(value)])) as R;
}

/** Parts of the last axis of what a product became by steps that move rows only. */
function products(x: Value, sizes: readonly number[]): Value[] | undefined {
  const { op, inputs, attrs } = x.node;
  const [first, second, third] = inputs;
  if (op.name === "gemm") {
    const { transA, transB } = attrs as Gemm;
    if (!transB || transA) return undefined;
    const weights = partsOf(second!, sizes) ?? split(second!, 0, sizes);
    const biases = third && (partsOf(third, sizes) ?? split(third, 0, sizes));
    return weights.map((weight, i) => gemm(first!, weight, { transB, bias: biases?.[i] }));
  }
  const widthKept = first !== undefined && first.shape.at(-1) === x.shape.at(-1);
  if (op.name === "reshape" && widthKept)
    return products(first, sizes)?.map((part, i) => reshape(part, [...x.shape.slice(0, -1), sizes[i]!]));
  if (op.name === "unpackAll" && widthKept)
    return products(first, sizes)?.map((part) =>
      unpack(part, { rows: second!, places: third!, gaps: false }),
    );
  return undefined;
}

/** Rows of a constant as constants that lie where they lay. */
function partsOf({ node }: Value, sizes: readonly number[]): Value[] | undefined {
  if (node.op.name !== "constant") return undefined;
  const { tensor, name, location } = node.attrs as ConstantAttrs;
  const row = sizeOf(tensor.shape.slice(1));
  let begin = 0;
  return sizes.map((size, i) => {
    const from = begin * row;
    begin += size;
    const shape = tensor.shape.with(0, size);
    const bytes = byteSize(tensor.dtype);
    return constant(part(tensor, shape, from), {
      ...(name === undefined ? {} : { name: `${name}.${i}` }),
      location: location && {
        path: location.path,
        offset: location.offset + from * bytes,
        length: size * row * bytes,
      },
    });
  });
}

/** A view that reads its numbers when somebody asks for them. */
const part = (whole: Tensor, shape: readonly number[], from: number): Tensor => ({
  dtype: whole.dtype,
  shape,
  get data() {
    return whole.data.subarray(from, from + sizeOf(shape));
  },
});
