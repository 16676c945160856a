import { fixedPoint, type Coefficients } from "./coefficients.js";
import { kernelBinary } from "./kernel-binary.js";
import { dense, plainPasses, type Passes } from "./plain.js";

// The part of WebAssembly's interface that is used: it is in browsers and in Node, but in no library of types for both.
interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

/** Exports of wasm/resize.ts. */
interface Kernel {
  readonly memory: Memory;
  horizontal(
    ...args: [
      ...[source: number, sourceStride: number, rows: number],
      ...[target: number, width: number, channels: number],
      ...Weights,
    ]
  ): void;
  vertical(
    ...args: [
      ...[source: number, sourceStride: number, width: number],
      ...[target: number, targetStride: number, rows: number],
      ...Weights,
    ]
  ): void;
}

type Weights = [starts: number, counts: number, low: number, high: number, taps: number];

/** Bytes of a picture that are in the kernel's memory at one time: they fit in a processor's second-level cache. */
const bandBytes = 1 << 19;

/** The SIMD loads and stores whole vectors: what it reads past the end has weight 0, what it writes is cut off. */
const slack = 64;

const pageBytes = 1 << 16;

/** The passes in WebAssembly SIMD, the same to the bit as the plain ones; those where SIMD is missing. */
export const fastPasses: Passes = (() => {
  try {
    const bytes = Uint8Array.from(atob(kernelBinary), (char) => char.charCodeAt(0));
    return kernelPasses(new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Kernel);
  } catch {
    return plainPasses;
  }
})();

function kernelPasses(kernel: Kernel): Passes {
  /** Makes room for so many bytes and returns a view of the memory. */
  const memory = (bytes: number): Uint8Array => {
    const missing = Math.ceil((bytes - kernel.memory.buffer.byteLength) / pageBytes);
    if (missing > 0) kernel.memory.grow(missing);
    return new Uint8Array(kernel.memory.buffer);
  };

  return {
    horizontal(source, axis) {
      const { channels, height } = source;
      const result = dense(axis.start.length, height, channels);
      const packed = pack(axis, channels === 1 ? 8 : 4, channels);
      const rows = Math.max(1, Math.min(height, Math.floor(bandBytes / source.stride)));
      const weightsAt = 0;
      const sourceAt = align(weightsAt + packed.size);
      const targetAt = align(sourceAt + rows * source.stride + slack);
      const heap = memory(targetAt + rows * result.stride + slack);
      const weights = packed.place(heap, weightsAt);
      for (let y = 0; y < height; y += rows) {
        const n = Math.min(rows, height - y);
        const from = source.offset + y * source.stride;
        heap.set(
          source.data.subarray(from, from + (n - 1) * source.stride + source.width * channels),
          sourceAt,
        );
        kernel.horizontal(sourceAt, source.stride, n, targetAt, result.width, channels, ...weights);
        result.data.set(heap.subarray(targetAt, targetAt + n * result.stride), y * result.stride);
      }
      return result;
    },

    vertical(source, axis) {
      const result = dense(source.width, axis.start.length, source.channels);
      const packed = pack(axis, 2, 1);
      const width = Math.min(align(result.stride), Math.max(16, Math.floor(bandBytes / source.height) & ~15));
      const weightsAt = 0;
      const sourceAt = align(weightsAt + packed.size);
      const targetAt = align(sourceAt + source.height * width + slack);
      const heap = memory(targetAt + result.height * width + slack);
      const weights = packed.place(heap, weightsAt);
      for (let x = 0; x < result.stride; x += width) {
        const n = Math.min(width, result.stride - x);
        copyRows(source.data, source.offset + x, source.stride, heap, sourceAt, width, n, source.height);
        kernel.vertical(sourceAt, width, n, targetAt, width, result.height, ...weights);
        copyRows(heap, targetAt, width, result.data, x, result.stride, n, result.height);
      }
      return result;
    },
  };
}

const align = (bytes: number): number => (bytes + 15) & ~15;

function copyRows(
  from: Uint8Array,
  fromAt: number,
  fromStride: number,
  to: Uint8Array,
  toAt: number,
  toStride: number,
  width: number,
  rows: number,
): void {
  if (fromStride === width && toStride === width) to.set(from.subarray(fromAt, fromAt + rows * width), toAt);
  else
    for (let y = 0; y < rows; y++)
      to.set(from.subarray(fromAt + y * fromStride, fromAt + y * fromStride + width), toAt + y * toStride);
}

/**
 * Weights as the kernel reads them.
 *
 * @param group weights that the kernel takes at a time
 * @param step  what one source sample adds to a start
 */
function pack(axis: Coefficients, group: number, step: number) {
  const outputs = axis.start.length;
  const taps = Math.ceil(axis.width / group) * group;
  const numbers = outputs * taps;
  const fixed = fixedPoint(axis);
  return {
    size: outputs * 8 + numbers * 4,
    place(heap: Uint8Array, at: number): Weights {
      const starts = new Int32Array(heap.buffer, at, outputs);
      const counts = new Int32Array(heap.buffer, at + outputs * 4, outputs);
      const lowAt = at + outputs * 8;
      const highAt = lowAt + numbers * 2;
      const low = new Int16Array(heap.buffer, lowAt, numbers).fill(0);
      const high = new Int16Array(heap.buffer, highAt, numbers).fill(0);
      for (let i = 0; i < outputs; i++) {
        const n = axis.count[i] ?? 0;
        starts[i] = (axis.start[i] ?? 0) * step;
        counts[i] = group === 2 ? n : Math.ceil(n / group) * group;
        for (let k = 0; k < n; k++) {
          const weight = fixed[i * axis.width + k] ?? 0;
          low[i * taps + k] = weight & 0x7fff;
          high[i * taps + k] = weight >> 15;
        }
      }
      return [at, at + outputs * 4, lowAt, highAt, taps];
    },
  };
}
