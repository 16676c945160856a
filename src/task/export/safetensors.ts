import { join } from "node:path";
import { writeOwn } from "../../model/index.js";
import { replaceFile, saveSafetensors } from "../../weights/index.js";
import { castWeights, type FloatDtype } from "./cast.js";
import type { Exported, ExportJob } from "./format.js";

/** One file: OpenCLIP's names, and the model's configuration in its metadata. */
export async function exportSafetensors({ out, dtype, open }: ExportJob<FloatDtype>): Promise<Exported> {
  const model = await open();
  const { config, preprocess, tokenizerConfig, tokenizerFiles } = model;
  const description = writeOwn({ config, preprocess, tokenizer: tokenizerConfig });
  await saveSafetensors(join(out, "model.safetensors"), castWeights(model.weights, dtype), {
    format: "pt",
    clipt: JSON.stringify(JSON.parse(description)),
    identity: model.identity,
  });
  for (const [name, bytes] of tokenizerFiles) await replaceFile(join(out, name), [bytes]);
  return { files: ["model.safetensors", ...tokenizerFiles.keys()], notes: [] };
}
