import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { CliptError, messageOf, toFloat16, type Tensor } from "../tensor/index.js";
import { replaceFile, saveSafetensors } from "../weights/index.js";
import { writeOwn } from "./families/own.js";
import type { Model } from "./open.js";

/** What makes a model folder. */
export type SavedModel = Pick<
  Model,
  "config" | "preprocess" | "weights" | "tokenizerConfig" | "tokenizerFiles"
> & {
  /** The model card, Markdown. */
  readonly card: string;
  /** "float16": matrices and kernels are halved; vectors and scalars, which need the range, stay. */
  readonly precision?: "float32" | "float16" | undefined;
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
  const weights = model.precision === "float16" ? halved(model.weights) : model.weights;
  await saveSafetensors(join(folder, "model.safetensors"), weights, { format: "pt" });
  for (const [name, bytes] of model.tokenizerFiles) await replaceFile(join(folder, name), [bytes]);
  const write = (name: string, text: string) =>
    replaceFile(join(folder, name), [new TextEncoder().encode(text)]);
  await write("README.md", model.card);
  await write("config.json", writeOwn({ ...model, tokenizer: model.tokenizerConfig }));
}

const halved = (weights: ReadonlyMap<string, Tensor>): Map<string, Tensor> =>
  new Map(
    [...weights].map(([name, tensor]) => [
      name,
      tensor.dtype === "float32" && tensor.shape.length > 1 ? toFloat16(tensor) : tensor,
    ]),
  );
