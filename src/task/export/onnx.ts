import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { constants, type Model } from "../../model/index.js";
import {
  toHuggingFaceConfig,
  toHuggingFacePreprocess,
  toHuggingFaceTokenizer,
  transformersJsPrograms,
  type TransformersJsFile,
} from "../../model/index.js";
import { encodeModel } from "../../runtime/index.js";
import { CliptError, toFloat32, type Tensor } from "../../tensor/index.js";
import { replaceFile } from "../../weights/index.js";
import type { ExportDtype, Exported, ExportJob } from "./format.js";

/** Endings by which transformers.js finds the file of a precision. */
const suffix: Readonly<Record<ExportDtype, string>> = { fp32: "", fp16: "_fp16", q8: "_quantized" };

/** transformers.js's layout: `onnx/*.onnx`, and JSON files that describe them. */
export async function exportOnnx({ out, dtype, split, open }: ExportJob): Promise<Exported> {
  if (dtype !== "fp32") throw new CliptError("unsupported", "--to onnx writes --dtype fp32 only.");
  const model = await open();
  const files: string[] = [];
  const write = async (name: string, chunks: Iterable<Uint8Array>): Promise<void> => {
    await replaceFile(join(out, name), chunks);
    files.push(name);
  };
  await mkdir(join(out, "onnx"), { recursive: true });
  const programs = transformersJsPrograms(
    model.config,
    constants(model.config, widened(model)),
    model.tokenizer.identity().frame.end,
  );
  const chosen: readonly TransformersJsFile[] = split
    ? ["text_model", "vision_model"]
    : ["model", "text_model", "vision_model"];
  for (const name of chosen) {
    const { inputs, outputs } = programs[name];
    await write(`onnx/${name}${suffix[dtype]}.onnx`, [encodeModel(outputs, { inputs }).bytes]);
  }
  for (const [name, json] of Object.entries(descriptions(model)))
    await write(name, [new TextEncoder().encode(`${JSON.stringify(json, undefined, 2)}\n`)]);
  return { files, notes: [] };
}

/** Weights as float32 where they were kept as halves. */
const widened = ({ weights }: Model): Map<string, Tensor> =>
  new Map(
    [...weights].map(([name, tensor]) => [name, tensor.dtype === "float16" ? toFloat32(tensor) : tensor]),
  );

function descriptions({ config, preprocess, tokenizer, tokenizerConfig, tokenizerFiles }: Model) {
  const { frame } = tokenizer.identity();
  return {
    "config.json": toHuggingFaceConfig(config, frame),
    "preprocessor_config.json": toHuggingFacePreprocess(preprocess, config),
    ...toHuggingFaceTokenizer(tokenizerConfig, tokenizerFiles, frame),
  };
}
