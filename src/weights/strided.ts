import { arrayOf, byteSize, type DType, type Tensor, sizeOf, stridesOf } from "../tensor/index.js";
import { tensorFromBytes } from "./bytes.js";

/** Whether numbers with these strides lie one after the other, row-major. */
export function isDense(shape: readonly number[], strides: readonly number[]): boolean {
  const dense = stridesOf(shape);
  // Along an axis of length 1 nobody steps, so its stride may be anything.
  return sizeOf(shape) === 0 || shape.every((length, axis) => length === 1 || strides[axis] === dense[axis]);
}

/** Numbers from the first to the last that a strided view touches; 0 when it is empty. */
export const spanOf = (shape: readonly number[], strides: readonly number[]): number =>
  sizeOf(shape) === 0
    ? 0
    : shape.reduce((last, length, axis) => last + (length - 1) * (strides[axis] ?? 0), 1);

/** A strided view as a dense tensor: a view of `bytes` where it is dense already, else gathered. */
export function gather<D extends DType>(
  dtype: D,
  shape: readonly number[],
  strides: readonly number[],
  bytes: Uint8Array,
): Tensor<D> {
  if (isDense(shape, strides)) return tensorFromBytes(dtype, shape, bytes);
  const source = tensorFromBytes(dtype, [bytes.length / byteSize(dtype)], bytes).data;
  const data = new arrayOf[dtype](sizeOf(shape));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < data.length; to++) {
    data[to] = source[from] as never;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis] ?? 0;
      index[axis] = (index[axis] ?? 0) + 1;
      if (index[axis] !== shape[axis]) break;
      from -= (strides[axis] ?? 0) * (shape[axis] ?? 0);
      index[axis] = 0;
    }
  }
  return { dtype, shape, data };
}
