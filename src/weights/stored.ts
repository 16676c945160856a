import { byteSize, CliptError, type DType, showShape, type Tensor } from "../tensor/index.js";
import { byteLengthOf, tensorFromBytes } from "./bytes.js";
import type { TensorSpan } from "./safetensors.js";
import { gather, isDense, spanOf } from "./strided.js";

/** A tensor that lies in a file. Without `decode` its bytes there are its numbers, so that others can map them. */
export interface Stored extends TensorSpan {
  /** The tensor from the bytes of its span. */
  readonly decode?: (bytes: Uint8Array) => Tensor;
}

export const decodeStored = (stored: Stored, bytes: Uint8Array): Tensor =>
  stored.decode === undefined ? tensorFromBytes(stored.dtype, stored.shape, bytes) : stored.decode(bytes);

/** Bytes of a file that several tensors may share. */
export interface Storage {
  readonly begin: number;
  readonly bytes: number;
}

/**
 * A strided view of a storage.
 *
 * @param offset  of its first number in the storage, in numbers
 * @param strides numbers to step over along each axis
 * @throws        `format` when it leaves the storage or is larger than it
 */
export function storedView(
  storage: Storage,
  dtype: DType,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): Stored {
  const sizes = [offset, ...shape, ...strides];
  if (
    shape.length > 64 ||
    shape.length !== strides.length ||
    !sizes.every((size) => Number.isSafeInteger(size) && size >= 0)
  )
    throw new CliptError("format", "A tensor has no possible shape and strides.");
  const size = byteLengthOf({ dtype, shape });
  const begin = offset * byteSize(dtype);
  const end = begin + spanOf(shape, strides) * byteSize(dtype);
  if (end > storage.bytes || size > storage.bytes)
    throw new CliptError(
      "format",
      `A tensor of shape ${showShape(shape)} with strides ${showShape(strides)} from byte ${begin} on does not fit into its storage of ${storage.bytes} bytes.`,
    );
  const span = { dtype, shape, begin: storage.begin + begin, end: storage.begin + end };
  return isDense(shape, strides)
    ? span
    : { ...span, decode: (bytes) => gather(dtype, shape, strides, bytes) };
}
