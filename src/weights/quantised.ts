import { CliptError, f32, tensor, toFloat32, type Tensor } from "../tensor/index.js";
import type { WeightsFile } from "./weights-file.js";

/** Behind the name of a matrix of bytes: the name of its rows' factors. */
const suffix = "_scale";

/**
 * A matrix as one signed byte per number, each row with its own factor: row · factor is the row again, within half a
 * step of 1/127 of its largest number.
 *
 * @param matrix [rows, …]
 * @returns      int8 of the same shape, and float32 [rows]
 */
export function quantiseRows(matrix: Tensor): { values: Tensor<"int8">; scale: Tensor<"float32"> } {
  const { shape, data } = toFloat32(matrix);
  const [rows = 1] = shape;
  const width = data.length / rows;
  const values = new Int8Array(data.length);
  const scale = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const numbers = data.subarray(row * width, (row + 1) * width);
    const largest = numbers.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    // A row of zeros has no step: any factor gives it back.
    const step = largest > 0 ? largest / 127 : 1;
    scale[row] = step;
    for (let i = 0; i < width; i++) values[row * width + i] = Math.round(numbers[i]! / step);
  }
  return { values: tensor("int8", shape, values), scale: f32([rows], scale) };
}

/** The names and numbers of a quantised matrix in a file. */
export function quantisedEntries(name: string, matrix: Tensor): [string, Tensor][] {
  const { values, scale } = quantiseRows(matrix);
  return [
    [name, values],
    [name + suffix, scale],
  ];
}

/**
 * A file whose matrices of bytes read as the float32 matrices that they stand for. Files without any are as they were.
 *
 * @throws `format` on reading, when a matrix and its factors do not fit
 */
export function dequantised(file: WeightsFile): WeightsFile {
  const names = new Set(file.names());
  const packed = new Set(
    [...names].filter((name) => names.has(name + suffix) && file.entry(name).dtype === "int8"),
  );
  if (packed.size === 0) return file;
  const scales = new Set([...packed].map((name) => name + suffix));
  return {
    ...file,
    names: () => file.names().filter((name) => !scales.has(name)),
    entry: (name) => (packed.has(name) ? { ...file.entry(name), dtype: "float32" } : file.entry(name)),
    location: (name) => (packed.has(name) ? undefined : file.location(name)),
    async read(name) {
      const values = await file.read(name);
      if (!packed.has(name)) return values;
      const scale = toFloat32(await file.read(name + suffix)).data;
      const [rows = 1] = values.shape;
      if (scale.length !== rows)
        throw new CliptError("format", `${file.path}: ${name} has ${rows} rows and ${scale.length} factors.`);
      const width = values.data.length / rows;
      return f32(
        values.shape,
        Float32Array.from(values.data as Int8Array, (byte, i) => byte * scale[Math.floor(i / width)]!),
      );
    },
  };
}
