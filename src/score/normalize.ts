import { f32, type Tensor } from "../tensor/index.js";

/** Below this length a vector counts as having it: the eps of torch's `F.normalize`. */
const smallest = 1e-12;

/** Rows scaled to length 1, as torch's `F.normalize(x, dim=-1)`. x: [n, dim] → same; a row of zeros stays. */
export function normalizeRows(x: Tensor<"float32">): Tensor<"float32"> {
  const [count = 0, width = 0] = x.shape;
  const data = new Float32Array(x.data.length);
  for (let row = 0; row < count; row++) {
    const from = x.data.subarray(row * width, (row + 1) * width);
    let squares = 0;
    for (const value of from) squares += value * value;
    const length = Math.max(Math.sqrt(squares), smallest);
    for (let i = 0; i < width; i++) data[row * width + i] = (from[i] ?? 0) / length;
  }
  return f32([count, width], data);
}
