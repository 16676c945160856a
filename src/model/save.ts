import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { CliptError, messageOf, toFloat16, type Tensor } from "../tensor/index.js";
import { quantisedEntries, replaceFile, saveSafetensors } from "../weights/index.js";
import { writeOwn } from "./families/own.js";
import type { Model } from "./open.js";

export type Precision = "float32" | "float16" | "int8";

/** What makes a model folder. */
export type SavedModel = Pick<
  Model,
  "config" | "preprocess" | "weights" | "tokenizerConfig" | "tokenizerFiles"
> & {
  /** The model card, Markdown. */
  readonly card: string;
  /**
   * "float16": matrices and kernels are halved; vectors and scalars, which need the range, stay.
   * "int8": matrices, and kernels along a text, are kept as bytes with a factor per row; kernels of pictures, whose
   * channels differ too much for that, are halved.
   */
  readonly precision?: Precision | undefined;
};

/**
 * Writes a folder that `openModel` opens and that needs nothing else. Files that exist are replaced one by one,
 * the configuration last.
 *
 * @throws `io` when the machine refuses; the file that could not be written is as it was
 */
export async function saveModel(folder: string, model: SavedModel): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new CliptError("io", `The folder ${folder} cannot be made: ${messageOf(cause)}.`, { cause });
  });
  const weights = new Map(
    [...model.weights].flatMap(([name, tensor]) => kept(name, tensor, model.precision)),
  );
  await saveSafetensors(join(folder, "model.safetensors"), weights, { format: "pt" });
  for (const [name, bytes] of model.tokenizerFiles) await replaceFile(join(folder, name), [bytes]);
  const write = (name: string, text: string) =>
    replaceFile(join(folder, name), [new TextEncoder().encode(text)]);
  await write("README.md", model.card);
  await write("config.json", writeOwn({ ...model, tokenizer: model.tokenizerConfig }));
}

function kept(name: string, tensor: Tensor, precision: Precision = "float32"): [string, Tensor][] {
  const { dtype, shape } = tensor;
  if (precision === "float32" || dtype !== "float32" || shape.length < 2) return [[name, tensor]];
  const alongText = shape.length === 4 && shape[2]! > 1 && shape[3] === 1;
  return precision === "int8" && (shape.length === 2 || alongText)
    ? quantisedEntries(name, tensor)
    : [[name, toFloat16(tensor)]];
}
