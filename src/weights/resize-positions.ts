import { CliptError, f32, showShape, type Tensor, toFloat32 } from "../tensor/index.js";

/** Height and width of a grid of patches. */
export type Grid = readonly [height: number, width: number];

/**
 * A cubic kernel: `a` is its slope at distance 1 with the sign turned. With `antialias` it widens as the grid
 * shrinks and leaves out what lies beyond the edge; without, it always sees 4 numbers and repeats the edge.
 */
export interface Cubic {
  readonly a: number;
  readonly antialias: boolean;
}

/** OpenCLIP's `resize_pos_embed`: torch's interpolate, bicubic, antialias=True, align_corners=False. */
export const openClipPositions: Cubic = { a: -0.5, antialias: true };
/** transformers' `interpolate_pos_encoding`: torch's interpolate, bicubic, align_corners=False. */
export const hfPositions: Cubic = { a: -0.75, antialias: false };

/**
 * A table of image positions for another grid of patches. Rows before the grid (the class token's) stay.
 *
 * @param table [extra + height · width, channels], any float type
 * @returns     [extra + height' · width', channels], float32
 * @throws      `shape` when the table is smaller than its grid
 * @source      PyTorch, aten/src/ATen/native/UpSample.h (kernels, places, edges)
 */
export function resizeGrid(table: Tensor, from: Grid, to: Grid, cubic: Cubic): Tensor<"float32"> {
  const [rows = 0, channels = 0] = table.shape;
  const extra = rows - from[0] * from[1];
  if (table.shape.length !== 2 || extra < 0)
    throw new CliptError(
      "shape",
      `A table of shape ${showShape(table.shape)} has no grid of ${from.join("×")}.`,
    );
  const { data } = toFloat32(table);
  const width = taps(from[1], to[1], cubic);
  const height = taps(from[0], to[0], cubic);
  // Sums in float64 and one rounding at the end; the order of the two passes then does not show.
  const grid = Float64Array.from(data.subarray(extra * channels));
  const wide = resample(grid, from[0], from[1], channels, width);
  const resized = resample(wide, 1, from[0], to[1] * channels, height);
  const result = new Float32Array(extra * channels + resized.length);
  result.set(data.subarray(0, extra * channels));
  result.set(resized, extra * channels);
  return f32([extra + to[0] * to[1], channels], result);
}

/**
 * A table of text positions for another context, linear as OpenCLIP's `resize_text_pos_embed`.
 *
 * @param table [length, channels], any float type
 * @returns     [length', channels], float32
 */
export function resizeSequence(table: Tensor, length: number): Tensor<"float32"> {
  const [from = 0, channels = 0] = table.shape;
  if (table.shape.length !== 2)
    throw new CliptError(
      "shape",
      `A table of text positions has 2 axes, not the shape ${showShape(table.shape)}.`,
    );
  const grid = Float64Array.from(toFloat32(table).data);
  return f32(
    [length, channels],
    Float32Array.from(resample(grid, 1, from, channels, linearTaps(from, length))),
  );
}

/** What one number of the result is made of: weights of neighbouring numbers from `start` on. */
interface Taps {
  readonly start: number;
  readonly weights: readonly number[];
}

/** [outer, from, inner] → [outer, taps.length, inner] */
function resample(
  data: Float64Array,
  outer: number,
  from: number,
  inner: number,
  taps: readonly Taps[],
): Float64Array {
  const result = new Float64Array(outer * taps.length * inner);
  for (let o = 0; o < outer; o++)
    taps.forEach(({ start, weights }, i) => {
      const to = (o * taps.length + i) * inner;
      weights.forEach((weight, k) => {
        const at = (o * from + Math.min(Math.max(start + k, 0), from - 1)) * inner;
        for (let c = 0; c < inner; c++) result[to + c] = (result[to + c] ?? 0) + weight * (data[at + c] ?? 0);
      });
    });
  return result;
}

function taps(from: number, to: number, { a, antialias }: Cubic): Taps[] {
  const scale = from / to;
  const widening = antialias ? Math.max(scale, 1) : 1;
  return Array.from({ length: to }, (_, i) => {
    const centre = scale * (i + 0.5);
    const first = antialias
      ? Math.max(0, Math.floor(centre - 2 * widening + 0.5))
      : Math.floor(centre - 0.5) - 1;
    const count = antialias ? Math.min(from, Math.floor(centre + 2 * widening + 0.5)) - first : 4;
    const raw = Array.from({ length: count }, (_, k) => kernel((first + k + 0.5 - centre) / widening, a));
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return { start: first, weights: raw.map((weight) => weight / sum) };
  });
}

function linearTaps(from: number, to: number): Taps[] {
  return Array.from({ length: to }, (_, i) => {
    const place = Math.max(0, (from / to) * (i + 0.5) - 0.5);
    const start = Math.floor(place);
    return { start, weights: [1 - (place - start), place - start] };
  });
}

/** Keys' cubic convolution kernel (IEEE ASSP 29, 1981). */
function kernel(distance: number, a: number): number {
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}
