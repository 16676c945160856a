/** Typed array behind each data type. float16 and bfloat16 are kept as their bits. */
export interface DataOf {
  float32: Float32Array;
  float64: Float64Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  bool: Uint8Array;
}

export type DType = keyof DataOf;

type ArrayOf<D extends DType> = {
  new (length: number): DataOf[D];
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): DataOf[D];
  readonly BYTES_PER_ELEMENT: number;
};

export const arrayOf: { readonly [D in DType]: ArrayOf<D> } = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

/** Bytes of one element. */
export const byteSize = (dtype: DType): number => arrayOf[dtype].BYTES_PER_ELEMENT;

export const isFloat = (dtype: DType): boolean =>
  dtype === "float32" || dtype === "float64" || dtype === "float16" || dtype === "bfloat16";
