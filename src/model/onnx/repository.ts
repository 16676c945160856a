import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Dtype } from "../../graph/index.js";
import { inspectOnnx, type OnnxFile } from "../../runtime/index.js";
import { CliptError } from "../../tensor/index.js";
import type { EncoderModel } from "../encoder.js";
import { families } from "../families/index.js";
import { readTokenizerFiles, tryTokenizer } from "../folder-tokenizer.js";
import { sortedJson } from "../identity.js";
import { readJson } from "../read-json.js";
import { onnxFiles } from "./files.js";
import { readOnnxHints, type OnnxHints } from "./hints.js";

/** The towers' programs: one each, or both in one. */
export type OnnxPrograms =
  { readonly text: OnnxFile; readonly image: OnnxFile } | { readonly joint: OnnxFile };

/** A model that exists as programs only: it encodes, and there are no weights to train or to write anew. */
export interface OnnxModel extends EncoderModel {
  readonly programs: OnnxPrograms;
  /** The joint program of any precision, the smallest there is: it knows what cosines become. */
  readonly joint: string | undefined;
  readonly hints: OnnxHints | undefined;
  /** [height, width], px. */
  readonly imageSize: readonly [number, number];
  /** The most ids of a text, by the configuration. */
  readonly context: number;
}

/** Endings of the files of a precision, as transformers.js and optimum write them; best first. */
const endings: Readonly<Record<Dtype, readonly string[]>> = {
  fp32: [""],
  fp16: ["_fp16"],
  q8: ["_quantized", "_int8", "_uint8"],
  q4: ["_q4"],
};

/**
 * Opens a repository of transformers.js or optimum: a joint model or two towers, as ONNX files, with `config.json`,
 * `preprocessor_config.json` and a tokenizer beside them.
 *
 * @param dtype which of its files; absent: the most precise
 * @throws      `missing` when they are not there; `format`, `io`; `unsupported` for models of other kinds
 */
export async function openOnnxRepository(path: string, dtype?: Dtype): Promise<OnnxModel> {
  const { folder, files } = await onnxFiles(path);
  const json = await readJson(path, "config.json");
  // Such files describe a model as those beside weights do.
  const family = families.find(({ owns }) => owns(["vision_model."], json));
  if (json === undefined || family === undefined)
    throw new CliptError("missing", `${path} holds ONNX files, and no config.json that says what they are.`);
  const hints = readOnnxHints(json);
  const { config, ...described } = family.describe({
    config: json,
    preprocessor: await readJson(path, "preprocessor_config.json"),
    tokenizer: await readJson(path, "tokenizer_config.json"),
    shapes: new Map(),
  });
  const preprocess = hints?.preprocess ?? described.preprocess;
  const tokenizerConfig = hints?.tokenizer ?? described.tokenizer;
  const tokenizerFiles = await readTokenizerFiles(path, tokenizerConfig);
  const tokenizer = tryTokenizer(path, Infinity, tokenizerConfig, tokenizerFiles);
  const programs = await choose(path, folder, files, dtype);
  const known = tokenizer instanceof CliptError ? undefined : tokenizer.identity();
  const digests = Object.values(programs).map(({ digest }: OnnxFile) => digest);
  const [height, width] = [preprocess.size, preprocess.size].flat() as [number, number];
  return {
    path,
    config,
    preprocess,
    get tokenizer() {
      if (tokenizer instanceof CliptError) throw tokenizer;
      return tokenizer;
    },
    identity: createHash("sha256")
      .update(sortedJson({ digests, preprocess, tokenizer: known }))
      .digest("hex"),
    programs,
    joint: await smallest(
      folder,
      files.filter((name) => /^model[_.]/.test(name)),
    ),
    hints,
    imageSize: [height, width],
    context: config.text.contextLength,
  };
}

/** Two towers rather than a joint model, which computes both for either. */
async function choose(
  path: string,
  folder: string,
  files: readonly string[],
  dtype: Dtype | undefined,
): Promise<OnnxPrograms> {
  const open = (name: string) => inspectOnnx(join(folder, name));
  for (const ending of dtype === undefined ? Object.values(endings).flat() : endings[dtype]) {
    const [text, image, joint] = ["text_model", "vision_model", "model"].map(
      (name) => `${name}${ending}.onnx`,
    );
    if (files.includes(text!) && files.includes(image!))
      return { text: await open(text!), image: await open(image!) };
    if (files.includes(joint!)) return { joint: await open(joint!) };
  }
  throw new CliptError(
    "missing",
    `${path} holds no ${dtype === undefined ? "" : `${dtype} `}ONNX files of a model of pictures and texts; it holds ${files.join(", ")}.`,
  );
}

async function smallest(folder: string, files: readonly string[]): Promise<string | undefined> {
  const sized = await Promise.all(
    files.map(async (name) => ({ path: join(folder, name), size: (await stat(join(folder, name))).size })),
  );
  return sized.sort((a, b) => a.size - b.size)[0]?.path;
}
