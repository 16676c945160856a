export type Interpolation = "nearest" | "bilinear" | "bicubic";

/** Which source samples make each output sample of one axis, and with which weight. */
export interface Coefficients {
  /** First source sample of each output sample. */
  readonly start: Int32Array;
  /** Number of source samples of each output sample. */
  readonly count: Int32Array;
  /** [outputs, width] weights that sum to 1; zeros after `count`. */
  readonly weights: Float64Array;
  readonly width: number;
}

interface Filter {
  readonly support: number;
  readonly at: (x: number) => number;
}

const filters: Readonly<Record<Exclude<Interpolation, "nearest">, Filter>> = {
  bilinear: {
    support: 1,
    at: (x) => Math.max(0, 1 - Math.abs(x)),
  },
  bicubic: {
    support: 2,
    at: (x) => {
      const a = -0.5;
      const d = Math.abs(x);
      if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
      return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
    },
  },
};

/**
 * Weights of an antialiased resize of one axis: the filter widens with the reduction.
 *
 * @param from length in samples; where the last of them lies there in part only, not a whole number
 * @source Pillow `precompute_coeffs`; the same double arithmetic in the same order, so that every bit agrees
 */
export function coefficients(
  from: number,
  to: number,
  interpolation: Exclude<Interpolation, "nearest">,
): Coefficients {
  const filter = filters[interpolation];
  const scale = from / to;
  const filterScale = Math.max(scale, 1);
  const support = filter.support * filterScale;
  const width = Math.ceil(support) * 2 + 1;
  const start = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Float64Array(to * width);
  const inverse = 1 / filterScale;
  for (let i = 0; i < to; i++) {
    const center = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const n = Math.min(Math.ceil(from), Math.trunc(center + support + 0.5)) - first;
    let sum = 0;
    for (let k = 0; k < n; k++) {
      const weight = filter.at((k + first - center + 0.5) * inverse);
      weights[i * width + k] = weight;
      sum += weight;
    }
    if (sum !== 0) for (let k = 0; k < n; k++) weights[i * width + k]! /= sum;
    start[i] = first;
    count[i] = n;
  }
  return { start, count, weights, width };
}

/** Fixed point of 8-bit samples: a sum of 32 bits keeps 8 for the value and 2 for the filter's overshoot. */
export const precisionBits = 22;

/** Weights as 22-bit fixed-point numbers, rounded half away from zero. */
export function fixedPoint({ weights }: Coefficients): Int32Array {
  const result = new Int32Array(weights.length);
  for (let i = 0; i < weights.length; i++) {
    const scaled = (weights[i] ?? 0) * (1 << precisionBits);
    result[i] = Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  }
  return result;
}
