import { CliptError, f32, type Tensor } from "../../tensor/index.js";

/** Vectors with what they are of and the model that made them. */
export interface Embeddings {
  /** Of the model, its preprocessing and its tokenizer: vectors of different identities must not be compared. */
  readonly identity: string;
  /** A picture's path or a text, one per row. */
  readonly items: readonly string[];
  /** [items, dim], rows of length 1 */
  readonly vectors: Tensor<"float32">;
}

/** Rows as one matrix. */
export function stackVectors(rows: readonly Float32Array[]): Tensor<"float32"> {
  const width = rows[0]?.length ?? 0;
  const data = new Float32Array(rows.length * width);
  rows.forEach((row, i) => data.set(row, i * width));
  return f32([rows.length, width], data);
}

/** The rows of a matrix, as views. */
export function rowsOf({ shape, data }: Tensor<"float32">): Float32Array[] {
  const [count = 0, width = 0] = shape;
  return Array.from({ length: count }, (_, i) => data.subarray(i * width, (i + 1) * width));
}

/** @throws `input` when the vectors are not of this model */
export function requireIdentity(
  path: string,
  identity: string,
  model: { identity: string; path: string },
): void {
  if (identity !== model.identity)
    throw new CliptError(
      "input",
      `${path} holds vectors of another model (${identity.slice(0, 12)}…) than ${model.path} (${model.identity.slice(0, 12)}…). Search with the model that made them (--model), or embed again.`,
    );
}
