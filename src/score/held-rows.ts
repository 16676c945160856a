import { CliptError, f32, type Tensor } from "../tensor/index.js";
import { kernelWith, type Kernel } from "./kernel.js";
import { dotProducts } from "./top-k.js";

/** Rows that are compared with vectors again and again: they lie where the kernel reads them. */
export interface HeldRows {
  readonly count: number;
  /** A view: whoever holds the rows fills them through it. */
  row(index: number): Float32Array;
  /**
   * Dot products of the rows from `start` to `end` with each vector, a block of rows at a time.
   *
   * @throws      `shape` for a vector of another width
   * @param visit `scores` of the rows from `first` on with one vector; it holds until the visit ends
   */
  compare(
    vectors: readonly Float32Array[],
    visit: (vector: number, first: number, scores: Float32Array) => void,
    start?: number,
    end?: number,
  ): void;
}

/** Rows that stay in a core's cache while all vectors pass over them: 256 × 512 floats are half a MiB. */
const blockRows = 256;
/** Vectors that are compared in one pass. */
const most = 64;
const aligned = (n: number): number => Math.ceil(n / 4) * 4;

/** Rows of zeros, [count, width]. */
export function holdRows(count: number, width: number): HeldRows {
  const stride = aligned(width);
  const vectorsAt = aligned(count) * stride;
  const productsAt = vectorsAt + most * stride;
  const { dots, numbers } = memoryFor(productsAt + most * blockRows);
  return {
    count,
    row: (index) => numbers.subarray(index * stride, index * stride + width),
    compare(vectors, visit, start = 0, end = count) {
      for (let from = 0; from < vectors.length; from += most) {
        const some = vectors.slice(from, from + most);
        for (const [i, vector] of some.entries()) {
          if (vector.length !== width)
            throw new CliptError("shape", `A vector of ${vector.length} numbers meets rows of ${width}.`);
          numbers.set(vector, vectorsAt + i * stride);
        }
        for (let first = start; first < end; first += blockRows) {
          const rows = Math.min(blockRows, end - first);
          const padded = aligned(rows);
          dots(4 * first * stride, padded, stride, 4 * vectorsAt, some.length, 4 * productsAt);
          for (let i = 0; i < some.length; i++) {
            const at = productsAt + i * padded;
            visit(from + i, first, numbers.subarray(at, at + rows));
          }
        }
      }
    },
  };
}

/** The same numbers as rows that are held. @param rows [count, width] */
export function holdTensor({ shape, data }: Tensor<"float32">): HeldRows {
  const [count = 0, width = 0] = shape;
  const held = holdRows(count, width);
  for (let i = 0; i < count; i++) held.row(i).set(data.subarray(i * width, (i + 1) * width));
  return held;
}

/** Memory for so many numbers, and what computes in it: WebAssembly SIMD, or plain JavaScript where that is missing. */
function memoryFor(numbers: number): { dots: Kernel["dots"]; numbers: Float32Array } {
  const kernel = kernelWith(4 * numbers);
  if (kernel !== undefined) return { dots: kernel.dots, numbers: new Float32Array(kernel.memory) };
  const plain = new Float32Array(numbers);
  return { dots: plainDots(plain), numbers: plain };
}

/** What wasm/dots.ts computes, in JavaScript. */
export const plainDots =
  (memory: Float32Array): Kernel["dots"] =>
  (rows, count, width, vectors, n, into) => {
    const part = (at: number, length: number): Tensor<"float32"> =>
      f32([length, width], memory.subarray(at / 4, at / 4 + length * width));
    memory.set(dotProducts(part(vectors, n), part(rows, count)), into / 4);
  };
