import { mkdir, readdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import {
  constants,
  readsPadding,
  toHuggingFaceConfig,
  toHuggingFacePreprocess,
  toHuggingFaceTokenizer,
  toOnnxHints,
  transformersJsPrograms,
  type Model,
  type TransformersJsFile,
} from "../../model/index.js";
import { toFloat32, type Tensor } from "../../tensor/index.js";
import { replaceFile } from "../../weights/index.js";
import type { ExportDtype, Exported, ExportJob } from "./format.js";
import { writeOnnxProgram } from "./onnx-program.js";

type OnnxDtype = Exclude<ExportDtype, "bf16">;

/** Endings by which transformers.js finds the file of a precision. */
const suffix: Readonly<Record<OnnxDtype, string>> = {
  fp32: "",
  fp16: "_fp16",
  q8: "_quantized",
};

/**
 * transformers.js's layout: `onnx/*.onnx`, and JSON files that describe them. Another precision in the same folder is
 * one more file.
 */
export async function exportOnnx({ out, dtype, split, open }: ExportJob<OnnxDtype>): Promise<Exported> {
  const model = await open();
  const folder = join(out, "onnx");
  await mkdir(folder, { recursive: true });
  const { end } = model.tokenizer.identity().frame;
  const programs = transformersJsPrograms(model.config, constants(model.config, widened(model)), end);
  const towers: readonly TransformersJsFile[] = ["text_model", "vision_model"];
  const written: string[] = [];
  for (const name of split ? towers : (["model", ...towers] as const)) {
    const path = join(folder, `${name}${suffix[dtype]}.onnx`);
    // What an earlier export left there would be taken for this one's.
    await rm(`${path}_data`, { force: true });
    written.push(...(await writeOnnxProgram(path, programs[name], dtype)));
  }
  for (const [name, json] of Object.entries(describe(model, await readdir(folder)))) {
    const path = join(out, name);
    await replaceFile(path, [new TextEncoder().encode(`${JSON.stringify(json, undefined, 2)}\n`)]);
    written.push(path);
  }
  return { files: written.map((path) => relative(out, path)), notes: notesOn(model) };
}

/** Weights as float32 where they were kept as halves. */
const widened = ({ weights }: Model): Map<string, Tensor> =>
  new Map(
    [...weights].map(([name, tensor]) => [name, tensor.dtype === "float16" ? toFloat32(tensor) : tensor]),
  );

/**
 * The JSON files by name.
 *
 * @param files names in the folder of ONNX files
 */
function describe(model: Model, files: readonly string[]): Readonly<Record<string, unknown>> {
  const { config, preprocess, tokenizer, tokenizerConfig, tokenizerFiles } = model;
  const { frame } = tokenizer.identity();
  const data = files.filter((name) => name.endsWith(".onnx_data"));
  const outside = Object.fromEntries(data.map((name) => [name.replace(/_data$/, ""), 1]));
  return {
    "config.json": {
      ...toHuggingFaceConfig(config, frame),
      ...(data.length > 0 ? { "transformers.js_config": { use_external_data_format: outside } } : {}),
      ...toOnnxHints(model),
    },
    "preprocessor_config.json": toHuggingFacePreprocess(preprocess, config),
    ...toHuggingFaceTokenizer(tokenizerConfig, tokenizerFiles, frame),
  };
}

/** Cleanings that a `tokenizer.json` cannot do in full. */
const mends: readonly unknown[] = ["clip", "lower", "whitespace", "canonicalize"];

function notesOn({ config, preprocess, tokenizerConfig }: Model): string[] {
  const { contextLength } = config.text;
  return [
    "transformers.js shrinks pictures without smoothing them first: its scores differ from clipt's for large pictures",
    ...(preprocess.resizeMode === "longest"
      ? [
          "transformers.js fills the border of pictures right and below, where the model was trained with centred ones",
        ]
      : []),
    ...(mends.includes(tokenizerConfig.cleaning)
      ? ["transformers.js neither mends broken characters in texts nor unescapes HTML"]
      : []),
    ...(readsPadding(config) && config.score === "softmax"
      ? [`rows of input_ids have ${contextLength} ids: call the tokenizer with padding: "max_length"`]
      : []),
  ];
}
