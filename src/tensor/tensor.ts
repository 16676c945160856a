import { arrayOf, type DataOf, type DType } from "./dtype.js";
import { CliptError } from "./error.js";
import { float16ToFloat32, float32ToBFloat16, float32ToFloat16 } from "./half.js";
import { showShape, sizeOf } from "./shape.js";

/** Numbers with a shape, row-major, dense. Treated as immutable by everyone who receives one. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: DataOf[D];
}

/** @throws `shape` when the data's length is not the product of the shape */
export function tensor<D extends DType>(dtype: D, shape: readonly number[], data: DataOf[D]): Tensor<D> {
  if (data.length !== sizeOf(shape))
    throw new CliptError(
      "shape",
      `${data.length} numbers do not fill a tensor of shape ${showShape(shape)}.`,
    );
  return { dtype, shape, data };
}

export const zeros = <D extends DType>(dtype: D, shape: readonly number[]): Tensor<D> => ({
  dtype,
  shape,
  data: new arrayOf[dtype](sizeOf(shape)),
});

export const f32 = (shape: readonly number[], data: Float32Array | readonly number[]): Tensor<"float32"> =>
  tensor("float32", shape, data instanceof Float32Array ? data : Float32Array.from(data));

export const i64 = (shape: readonly number[], data: readonly (number | bigint)[]): Tensor<"int64"> =>
  tensor("int64", shape, BigInt64Array.from(data, BigInt));

export const scalar = (value: number): Tensor<"float32"> => f32([], [value]);

/** The same numbers as float32; float16 and bfloat16 widen exactly, 64-bit numbers round. */
export function toFloat32(t: Tensor): Tensor<"float32"> {
  if (t.dtype === "float32") return t as Tensor<"float32">;
  const data = new Float32Array(t.data.length);
  if (t.dtype === "float16") float16ToFloat32(t.data as Uint16Array, data);
  else if (t.dtype === "bfloat16") {
    const bits = new Uint32Array(data.buffer);
    const source = t.data as Uint16Array;
    for (let i = 0; i < bits.length; i++) bits[i] = (source[i] ?? 0) << 16;
  } else for (let i = 0; i < data.length; i++) data[i] = Number(t.data[i]);
  return { dtype: "float32", shape: t.shape, data };
}

/** float32 numbers rounded to the nearest float16, ties to even. */
export function toFloat16(t: Tensor): Tensor<"float16"> {
  if (t.dtype === "float16") return t as Tensor<"float16">;
  const data = new Uint16Array(t.data.length);
  float32ToFloat16(toFloat32(t).data, data);
  return { dtype: "float16", shape: t.shape, data };
}

/** The same numbers in another shape of as many; they are not read. */
export const withShape = (t: Tensor, shape: readonly number[]): Tensor => ({
  dtype: t.dtype,
  shape,
  get data() {
    return t.data;
  },
});

/** Rows and columns exchanged: [rows, columns] → [columns, rows]. */
export function transposed<D extends DType>({ dtype, shape, data }: Tensor<D>): Tensor<D> {
  const [rows = 0, columns = 0] = shape;
  const result = new arrayOf[dtype](data.length);
  // In squares, so that neither side leaves the cache.
  const side = 64;
  for (let top = 0; top < rows; top += side)
    for (let left = 0; left < columns; left += side)
      for (let row = top; row < Math.min(rows, top + side); row++)
        for (let column = left; column < Math.min(columns, left + side); column++)
          result[column * rows + row] = data[row * columns + column]!;
  return { dtype, shape: [columns, rows], data: result };
}

/** float32 numbers rounded to the nearest bfloat16, ties to even. */
export function toBFloat16(t: Tensor): Tensor<"bfloat16"> {
  if (t.dtype === "bfloat16") return t as Tensor<"bfloat16">;
  const data = new Uint16Array(t.data.length);
  float32ToBFloat16(toFloat32(t).data, data);
  return { dtype: "bfloat16", shape: t.shape, data };
}

export const isTensor = (x: unknown): x is Tensor =>
  typeof x === "object" && x !== null && "dtype" in x && "data" in x;
