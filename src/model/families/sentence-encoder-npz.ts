import { CliptError, f32, tensor, toFloat32, type Tensor } from "../../tensor/index.js";

/** Parts that the table of pieces was cut into: piece `id` is row ⌊id / parts⌋ of part `id mod parts`. */
const parts = 17;

/**
 * The arrays of the published NumPy package of Universal Sentence Encoder (multilingual, version 3) as the weights
 * of our tower: matrices turned to [out, in], windows to kernels of convolutions, the table's parts joined.
 *
 * @returns weights below `trunk`
 * @throws  `format` when an array is missing
 */
export function sentenceEncoderFromNpz(arrays: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const get = (name: string): Tensor => {
    const found = arrays.get(name);
    if (found === undefined) throw new CliptError("format", `The sentence encoder's arrays lack ${name}.`);
    return found;
  };
  const vector = (name: string) => toFloat32(get(name));
  const matrix = (name: string) => turned(toFloat32(get(name)));
  const result = new Map<string, Tensor>([
    ...table(
      Array.from({ length: parts }, (_, i) => get(`q${i + 1}`)),
      vector("scale"),
      vector("lo"),
    ),
    ["norm.weight", vector("ln_g")],
    ["norm.bias", vector("ln_b")],
    ["pool.weight", matrix("cnn_W")],
    ["pool.bias", vector("cnn_b")],
    ["dense.first.weight", matrix("d0")],
    ["dense.second.weight", matrix("p1")],
    ["dense.second_skip.weight", matrix("d1")],
    ["dense.third.weight", matrix("d2")],
    ["dense.last.weight", matrix("p3")],
    ["dense.last_skip.weight", matrix("d3")],
  ]);
  [2, 3, 5].forEach((size, i) => {
    const at = `branches.${i}`;
    result.set(`${at}.proj.weight`, matrix(`proj${size}`));
    result.set(`${at}.proj.bias`, vector(`proj_b${size}`));
    result.set(`${at}.norm.weight`, vector(`ln_g${size}`));
    result.set(`${at}.norm.bias`, vector(`ln_b${size}`));
    for (const layer of [1, 2]) {
      result.set(`${at}.conv${layer}.weight`, kernel(toFloat32(get(`w${layer}_${size}`)), size));
      result.set(`${at}.conv${layer}.bias`, vector(`b${layer}_${size}`));
    }
  });
  return result;
}

/** [in, out] → [out, in]. */
function turned({ shape: [rows = 0, columns = 0], data }: Tensor<"float32">): Tensor<"float32"> {
  const result = new Float32Array(data.length);
  for (let i = 0; i < rows; i++)
    for (let o = 0; o < columns; o++) result[o * rows + i] = data[i * columns + o]!;
  return f32([columns, rows], result);
}

/** [size · in, out], places of the window outermost → [out, in, size, 1]. */
function kernel(
  { shape: [rows = 0, columns = 0], data }: Tensor<"float32">,
  size: number,
): Tensor<"float32"> {
  const inputs = rows / size;
  const result = new Float32Array(data.length);
  for (let p = 0; p < size; p++)
    for (let i = 0; i < inputs; i++)
      for (let o = 0; o < columns; o++)
        result[(o * inputs + i) * size + p] = data[(p * inputs + i) * columns + o]!;
  return f32([columns, inputs, size, 1], result);
}

function table(
  pieces: readonly Tensor[],
  scale: Tensor<"float32">,
  low: Tensor<"float32">,
): [string, Tensor][] {
  const [rows = 0, width = 0] = pieces[0]!.shape;
  const count = rows * parts;
  const values = new Uint8Array(count * width);
  const perRow = (source: Tensor<"float32">) =>
    f32(
      [count],
      Float32Array.from({ length: count }, (_, id) => source.data[id % parts]!),
    );
  for (let id = 0; id < count; id++) {
    const row = Math.floor(id / parts);
    const part = pieces[id % parts]!.data as Uint8Array;
    values.set(part.subarray(row * width, (row + 1) * width), id * width);
  }
  return [
    ["embedding.values", tensor("uint8", [count, width], values)],
    ["embedding.scale", perRow(scale)],
    ["embedding.low", perRow(low)],
  ];
}
