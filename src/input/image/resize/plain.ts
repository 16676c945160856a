import { fixedPoint, precisionBits, type Coefficients } from "./coefficients.js";

/** A view of bytes inside of a larger picture: rows of `width` pixels, `stride` bytes apart. */
export interface Plane {
  readonly data: Uint8Array;
  readonly offset: number;
  readonly stride: number;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** One pass of a resize along one axis; the result is rounded and clipped to 8 bits, dense. */
export type Pass = (source: Plane, axis: Coefficients) => Plane;

export interface Passes {
  readonly horizontal: Pass;
  readonly vertical: Pass;
}

const half = 1 << (precisionBits - 1);
const clip = (sum: number): number => Math.max(0, Math.min(255, sum >> precisionBits));

export function dense(width: number, height: number, channels: number): Plane {
  const stride = width * channels;
  return { data: new Uint8Array(stride * height), offset: 0, stride, width, height, channels };
}

/** The passes as Pillow's C code writes them: what the WebAssembly kernel is checked against. */
export const plainPasses: Passes = {
  horizontal(source, axis) {
    const weights = fixedPoint(axis);
    const { channels } = source;
    const result = dense(axis.start.length, source.height, channels);
    for (let y = 0; y < source.height; y++)
      for (let x = 0; x < result.width; x++) {
        const first = source.offset + y * source.stride + (axis.start[x] ?? 0) * channels;
        const n = axis.count[x] ?? 0;
        for (let c = 0; c < channels; c++) {
          let sum = half;
          for (let k = 0; k < n; k++)
            sum += Math.imul(source.data[first + k * channels + c] ?? 0, weights[x * axis.width + k] ?? 0);
          result.data[y * result.stride + x * channels + c] = clip(sum);
        }
      }
    return result;
  },

  vertical(source, axis) {
    const weights = fixedPoint(axis);
    const result = dense(source.width, axis.start.length, source.channels);
    for (let y = 0; y < result.height; y++) {
      const first = source.offset + (axis.start[y] ?? 0) * source.stride;
      const n = axis.count[y] ?? 0;
      for (let x = 0; x < result.stride; x++) {
        let sum = half;
        for (let k = 0; k < n; k++)
          sum += Math.imul(source.data[first + k * source.stride + x] ?? 0, weights[y * axis.width + k] ?? 0);
        result.data[y * result.stride + x] = clip(sum);
      }
    }
    return result;
  },
};
