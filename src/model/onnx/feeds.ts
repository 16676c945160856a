import type { OnnxFile, Tensors } from "../../runtime/index.js";
import {
  CliptError,
  f32,
  sizeOf,
  tensor,
  toFloat16,
  toFloat32,
  type DType,
  type Tensor,
} from "../../tensor/index.js";
import type { TextBatch } from "../pack-texts.js";

/** What a program may be given, by transformers' names of its inputs. */
const inputs: Readonly<Record<string, (texts: TextBatch, pixels: Tensor<"float32">) => Tensor>> = {
  pixel_values: (_, pixels) => pixels,
  input_ids: ({ ids }) => ids,
  attention_mask: ({ ids, lengths }) => {
    const [rows = 0, length = 0] = ids.shape;
    const mask = new BigInt64Array(rows * length);
    lengths.forEach((end, row) => mask.fill(1n, row * length, row * length + end));
    return tensor("int64", ids.shape, mask);
  },
  token_type_ids: ({ ids }) => tensor("int64", ids.shape, new BigInt64Array(sizeOf(ids.shape))),
};

/**
 * The inputs of a program, in the types that it takes.
 *
 * @throws `unsupported` for a program that wants more than pictures and texts
 */
export function feedsFor(file: OnnxFile, texts: TextBatch, pixels: Tensor<"float32">): Tensors {
  return Object.fromEntries(
    file.inputs.map(({ name, dtype }) => {
      const make = inputs[name];
      if (make === undefined)
        throw new CliptError(
          "unsupported",
          `${file.path} wants an input "${name}"; ${Object.keys(inputs).join(", ")} are known.`,
        );
      return [name, asType(file, name, make(texts, pixels), dtype)];
    }),
  );
}

function asType({ path }: OnnxFile, name: string, given: Tensor, dtype: DType): Tensor {
  if (given.dtype === dtype) return given;
  if (given.dtype === "float32" && dtype === "float16") return toFloat16(given);
  if (given.dtype === "int64" && dtype === "int32")
    return tensor("int32", given.shape, Int32Array.from(given.data, Number));
  throw new CliptError(
    "unsupported",
    `${path} wants its input "${name}" as ${dtype}; it can be given ${given.dtype}.`,
  );
}

/** Names of the features of each tower, best first. A sigmoid model's are what its tower pools. */
const outputs = {
  text: ["text_embeds", "pooler_output"],
  image: ["image_embeds", "pooler_output"],
} as const;

/**
 * The output that holds a tower's features.
 *
 * @param pooled whether what the tower pools is its feature, without a projection behind it
 * @throws       `unsupported` when no output is known
 */
export function outputFor({ path, outputs: given }: OnnxFile, role: keyof typeof outputs, pooled: boolean) {
  const names = outputs[role].slice(0, pooled ? 2 : 1);
  const found = names.map((name) => given.find((output) => output.name === name)).find((output) => output);
  if (found !== undefined) return found;
  throw new CliptError(
    "unsupported",
    `${path} gives ${given.map(({ name }) => name).join(", ")}, and none of ${names.join(", ")}: no features of the shared space.`,
  );
}

/** Rows of length 1; rows of zeros stay. */
export function unitRows(features: Tensor): Tensor<"float32"> {
  const { shape, data } = toFloat32(features);
  const [rows = 0, dim = 0] = shape;
  const result = Float32Array.from(data);
  for (let row = 0; row < rows; row++) {
    const numbers = result.subarray(row * dim, (row + 1) * dim);
    const length = Math.max(Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0)), 1e-12);
    numbers.forEach((x, i) => (numbers[i] = x / length));
  }
  return f32(shape, result);
}
