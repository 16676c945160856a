import { arrayOf, byteSize, CliptError, type DType, showShape, type Tensor } from "../tensor/index.js";

// Every format here stores little-endian numbers, as every machine with a JavaScript engine does: no byte is swapped.

/** Type and shape of a tensor whose numbers have not been read. */
export interface TensorInfo {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** As in PyTorch and NumPy. */
const mostAxes = 64;

/**
 * Bytes that a tensor fills.
 *
 * @throws `format` when a length is negative or not whole, or the size exceeds what a file can hold
 */
export function byteLengthOf({ dtype, shape }: TensorInfo): number {
  if (shape.length > mostAxes)
    throw new CliptError("format", `A shape of ${shape.length} axes is none that a tensor has.`);
  let bytes = byteSize(dtype);
  for (const length of shape) {
    if (!Number.isSafeInteger(length) || length < 0)
      throw new CliptError("format", `Shape ${head(showShape(shape))} holds a length that no tensor has.`);
    bytes *= length;
    // Checked at each step: a later length of 0 must not hide an overflow.
    if (!Number.isSafeInteger(bytes))
      throw new CliptError("format", `Shape ${head(showShape(shape))} is larger than any file.`);
  }
  return bytes;
}

/**
 * Little-endian bytes as a tensor: a view where they are aligned, else a copy.
 *
 * @throws `format` when the bytes are not exactly as many as the shape needs
 */
export function tensorFromBytes<D extends DType>(
  dtype: D,
  shape: readonly number[],
  bytes: Uint8Array,
): Tensor<D> {
  const needed = byteLengthOf({ dtype, shape });
  if (needed !== bytes.length)
    throw new CliptError(
      "format",
      `${bytes.length} bytes for a ${dtype} tensor of shape ${head(showShape(shape))}, which fills ${needed}.`,
    );
  const { buffer, byteOffset } = bytes.byteOffset % byteSize(dtype) === 0 ? bytes : new Uint8Array(bytes);
  return { dtype, shape, data: new arrayOf[dtype](buffer, byteOffset, needed / byteSize(dtype)) };
}

/** The bytes of a tensor's numbers; a view. */
export const bytesOf = ({ data }: Tensor): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** The beginning of a text that may be long or hostile, fit for a message. */
export const head = (text: string, length = 80): string =>
  // Control characters could rewrite a terminal.
  (text.length > length ? `${text.slice(0, length)}…` : text).replace(/[\u0000-\u001f\u007f-\u009f]/g, "�");
