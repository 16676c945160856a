import { CliptError, f32, quantiseRows, toFloat32, type Tensor } from "../tensor/index.js";
import type { WeightsFile } from "./weights-file.js";

/** Behind the name of a matrix of bytes: the name of its rows' factors. */
const suffix = "_scale";

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
      return f32(values.shape, scaledRows(values.data as Int8Array, scale));
    },
  };
}

/** The same number of bytes belongs to each factor. */
function scaledRows(bytes: Int8Array, scale: ArrayLike<number>): Float32Array {
  const [numbers, width] = [new Float32Array(bytes.length), bytes.length / scale.length];
  for (let row = 0, i = 0; row < scale.length; row++) {
    const factor = scale[row]!;
    for (const end = i + width; i < end; i++) numbers[i] = bytes[i]! * factor;
  }
  return numbers;
}
