/** Kinds of weights, in the order in which they are preferred. */
export const formats = ["safetensors", "pytorch", "onnx"] as const;
export type Format = (typeof formats)[number];

/** Files beside the weights that clipt reads, whatever the layout. */
const beside = [
  /^(open_clip_config|config|preprocessor_config|processor_config)\.json$/,
  /^(tokenizer|tokenizer_config|special_tokens_map|vocab)\.json$/,
  /^(merges|vocab|bpe_simple_vocab_16e6|templates\.\w+)\.txt(\.gz)?$/,
  /^(spiece|sentencepiece\.bpe)\.model$/,
  // Text towers of sentence-transformers: a chain of modules.
  /^(modules|sentence_bert_config)\.json$/,
  /^\d_\w+\/(config\.json|model\.safetensors|pytorch_model\.bin)$/,
];

/** Weights by format, best first; each entry lists the patterns of files that belong together. */
const weights: Readonly<Record<Format, readonly (readonly RegExp[])[]>> = {
  safetensors: [
    [/^open_clip_model\.safetensors$/],
    [/^open_clip_pytorch_model\.safetensors$/],
    [/^model\.safetensors$/],
    [/^model\.safetensors\.index\.json$/, /^model-\d+-of-\d+\.safetensors$/],
  ],
  pytorch: [
    [/^open_clip_pytorch_model\.bin$/],
    [/^open_clip_pytorch_model\.pth$/],
    [/^pytorch_model\.bin$/],
    [/^pytorch_model\.bin\.index\.json$/, /^pytorch_model-\d+-of-\d+\.bin$/],
    [/^[\w.-]+\.pt$/],
  ],
  onnx: [
    [/^onnx\/text_model\.onnx$/, /^onnx\/vision_model\.onnx$/],
    [/^onnx\/model\.onnx$/],
    [/^text_model\.onnx$/, /^vision_model\.onnx$/],
    [/^model\.onnx$/],
  ],
};

/** A model of both towers, small: beside towers alone it tells what cosines become. */
const smallJoint = /^(onnx\/)?model_(quantized|int8|uint8|q4)\.onnx$/;

/** Numbers that an ONNX file of the same name keeps outside of itself. */
const outside = /\.onnx_data(_\d+)?$/;

/** Of a repository's files, those that clipt needs: one set of weights, and what lies beside it. */
export interface NeededFiles {
  readonly format: Format;
  readonly beside: readonly string[];
  readonly weights: readonly string[];
}

/**
 * Chooses among the files of a repository.
 *
 * @param format only this kind of weights; absent: the best that is there
 * @returns      undefined when there are no such weights
 */
export function neededFiles(paths: readonly string[], format?: Format): NeededFiles | undefined {
  for (const kind of format === undefined ? formats : [format])
    for (const patterns of weights[kind]) {
      const found = patterns.map((pattern) => paths.filter((path) => pattern.test(path)));
      if (found.some((files) => files.length === 0)) continue;
      const files = [...found.flat(), ...(kind === "onnx" ? besidePrograms(paths, found.flat()) : [])];
      if (!hasAllShards(files)) continue;
      return {
        format: kind,
        beside: paths.filter((path) => beside.some((pattern) => pattern.test(path))),
        weights: files,
      };
    }
  return undefined;
}

/** What ONNX files need: a small joint model beside towers, and the numbers outside of all of them. */
function besidePrograms(paths: readonly string[], programs: readonly string[]): string[] {
  const joint = programs.length > 1 ? paths.filter((path) => smallJoint.test(path)).slice(0, 1) : [];
  const owners = [...programs, ...joint];
  return [
    ...joint,
    ...paths.filter((path) => outside.test(path) && owners.includes(path.replace(outside, ".onnx"))),
  ];
}

/** A shard says how many there are: "model-00001-of-00003.safetensors". */
function hasAllShards(files: readonly string[]): boolean {
  const [, count] = files.map((file) => /-of-(\d+)\./.exec(file)).find((match) => match !== null) ?? [];
  return count === undefined || files.filter((file) => file.includes("-of-")).length === Number(count);
}
