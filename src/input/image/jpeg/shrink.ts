import { coefficients, type Coefficients } from "../resize/coefficients.js";
import type { Kernel, Weights } from "./kernel.js";

/** Samples of one colour in the kernel's memory, i16, in eighths of a level. */
export interface Plane {
  readonly at: number;
  /** Bytes of a row. */
  readonly stride: number;
  /** Width and height in blocks without what fills the last units, to the fraction. */
  readonly seen: readonly [width: number, height: number];
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export type Smooth = "bilinear" | "bicubic";

/** What the kernel reads past the end of a row has weight 0, what it writes there is mended by the next row. */
const slack = 64;

/**
 * Brings planes to one size by `resize`'s filters over all pixels, as far as the planes tell them, with fractional bits to the end.
 *
 * @param free where the kernel's memory holds nothing any more
 * @returns    places of planes of that size without gaps, in 64ths of a level, and where the memory is free behind them
 */
export function shrink(
  planes: readonly Plane[],
  { width, height }: Size,
  interpolation: Smooth,
  kernel: Kernel,
  free: number,
): { readonly places: number[]; readonly free: number } {
  let end = free;
  const room = (bytes: number): number => {
    const at = end;
    end += ((bytes + 15) & ~15) + slack;
    return at;
  };
  const places = planes.map(() => room(2 * width * height));
  const behind = end;
  planes.forEach(({ at, stride, seen }, i) => {
    end = behind;
    const rows = 2 * Math.ceil(seen[1]);
    const across = ofHalves(coefficients(8 * seen[0], width, interpolation));
    const down = ofHalves(coefficients(8 * seen[1], height, interpolation));
    const [acrossAt, downAt] = [room(bytesOf(across, 8)), room(bytesOf(down, 2))];
    const between = room(2 * width * (rows + 1));
    const heap = kernel.memory(end);
    kernel.horizontal(at, stride, rows, between, width, ...pack(across, 8, 2, heap, acrossAt));
    kernel.vertical(between, width, places[i]!, height, ...pack(down, 2, 1, heap, downAt));
  });
  return { places, free: behind };
}

/** The lowest cosine at each of a block's 8 pixels, 1 in the mean square. */
const wave = Array.from({ length: 8 }, (_, i) => Math.SQRT2 * Math.cos(((2 * i + 1) * Math.PI) / 16));

/**
 * Weights of pixels as weights of a block's two halves, which are its mean plus and minus its lowest cosine: what the pixels'
 * weights make of these two.
 */
function ofHalves(pixels: Coefficients): Coefficients {
  const outputs = pixels.start.length;
  const width = 2 * Math.ceil((pixels.width + 7) / 8);
  const [start, count] = [new Int32Array(outputs), new Int32Array(outputs)];
  const weights = new Float64Array(outputs * width);
  for (let i = 0; i < outputs; i++) {
    const first = pixels.start[i]!;
    const skipped = first & ~7;
    for (let k = 0; k < pixels.count[i]!; k++) {
      const weight = pixels.weights[i * pixels.width + k]!;
      const x = first + k - skipped;
      const at = i * width + 2 * (x >> 3);
      const swing = weight * wave[x & 7]!;
      weights[at]! += (weight + swing) / 2;
      weights[at + 1]! += (weight - swing) / 2;
    }
    start[i] = skipped / 4;
    count[i] = 2 * Math.ceil((first - skipped + pixels.count[i]!) / 8);
  }
  return { start, count, weights, width };
}

const tapsOf = ({ width }: Coefficients, group: number): number => Math.ceil(width / group) * group;
const bytesOf = (axis: Coefficients, group: number): number =>
  axis.start.length * (8 + 2 * tapsOf(axis, group));

/**
 * Writes weights as the kernel reads them.
 *
 * @param group weights that it takes at a time
 * @param step  what one source sample adds to a start
 */
function pack(axis: Coefficients, group: number, step: number, heap: Uint8Array, at: number): Weights {
  const [outputs, taps] = [axis.start.length, tapsOf(axis, group)];
  const starts = new Int32Array(heap.buffer, at, outputs);
  const counts = new Int32Array(heap.buffer, at + 4 * outputs, outputs);
  const weights = new Int16Array(heap.buffer, at + 8 * outputs, outputs * taps).fill(0);
  for (let i = 0; i < outputs; i++) {
    const count = axis.count[i]!;
    starts[i] = axis.start[i]! * step;
    counts[i] = Math.ceil(count / group) * group;
    for (let k = 0; k < count; k++)
      weights[i * taps + k] = Math.round(axis.weights[i * axis.width + k]! * 16384);
  }
  return [at, at + 4 * outputs, at + 8 * outputs, taps];
}
