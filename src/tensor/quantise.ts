import { CliptError } from "./error.js";
import { f32, tensor, toFloat32, type Tensor } from "./tensor.js";

/**
 * A matrix as one signed byte per number, each row with its own factor: row · factor is the row again, within half a
 * step of 1/127 of its largest number.
 *
 * @param matrix [rows, …]
 * @param levels the largest byte; fewer than 127 leave room for sums
 * @returns      int8 of the same shape, and float32 [rows]
 */
export function quantiseRows(
  matrix: Tensor,
  levels = 127,
): { values: Tensor<"int8">; scale: Tensor<"float32"> } {
  const { shape, data } = toFloat32(matrix);
  const [rows = 1] = shape;
  const width = data.length / rows;
  const values = new Int8Array(data.length);
  const scale = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const [begin, end] = [row * width, (row + 1) * width];
    let largest = 0;
    for (let i = begin; i < end; i++) largest = Math.max(largest, Math.abs(data[i]!));
    // A row of zeros has no step: any factor gives it back.
    const step = largest > 0 ? largest / levels : 1;
    scale[row] = step;
    for (let i = begin; i < end; i++) values[i] = Math.round(data[i]! / step);
  }
  return { values: tensor("int8", shape, values), scale: f32([rows], scale) };
}

/**
 * A matrix in four bits per number, with a factor for each block of a row: number − 8 times the factor. The factor is
 * an eighth of the block's number that lies furthest from 0, which is kept exactly. Source: ONNX Runtime's
 * `MlasQuantizeBlockwise`, the layout of its MatMulNBits.
 *
 * @param matrix [rows, width]; the width is a multiple of `block`
 * @returns      uint8 [rows, width / block, block / 2], the first number of a pair in the low bits; float32 [rows · width / block]
 * @throws       `shape` when the blocks do not fit
 */
export function quantiseBlocks(
  matrix: Tensor,
  block: number,
): { values: Tensor<"uint8">; scale: Tensor<"float32"> } {
  const { shape, data } = toFloat32(matrix);
  const [rows = 0, width = 0] = shape;
  if (shape.length !== 2 || width % block !== 0)
    throw new CliptError("shape", `Blocks of ${block} do not fill rows of ${width} numbers.`);
  const blocks = data.length / block;
  const values = new Uint8Array(data.length / 2);
  const scale = new Float32Array(blocks);
  for (let b = 0; b < blocks; b++) {
    const [begin, end] = [b * block, (b + 1) * block];
    let furthest = 0;
    for (let i = begin; i < end; i++) if (Math.abs(data[i]!) > Math.abs(furthest)) furthest = data[i]!;
    const step = furthest === 0 ? 1 : furthest / -8;
    scale[b] = step;
    const four = (x: number): number => Math.min(15, Math.max(0, Math.round(x / step) + 8));
    for (let i = begin; i < end; i += 2) values[i >> 1] = four(data[i]!) | (four(data[i + 1]!) << 4);
  }
  return {
    values: tensor("uint8", [rows, width / block, block / 2], values),
    scale: f32([blocks], scale),
  };
}
