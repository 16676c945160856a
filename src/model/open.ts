import type { FileLocation } from "../graph/index.js";
import type { PreprocessConfig } from "../input/image/index.js";
import type { Tokenizer } from "../input/text/index.js";
import { CliptError, type Tensor } from "../tensor/index.js";
import { openCheckpoint, type CheckpointOptions } from "./checkpoint.js";
import type { ClipConfig } from "./config.js";
import { readTokenizerFiles, tryTokenizer } from "./folder-tokenizer.js";
import { identityOf } from "./identity.js";
import { isOnnxRepository } from "./onnx/files.js";
import type { TokenizerConfig, TokenizerFiles } from "./tokenizer.js";
import { readAll } from "./values.js";

/** A model with all that belongs to it: what goes in, how, and what comes out. */
export interface Model {
  /** The folder or file that it was opened from. */
  readonly path: string;
  readonly config: ClipConfig;
  /** Canonical names, the types of the file. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Where weights lie in files, for those that can be mapped there. */
  readonly locations: ReadonlyMap<string, FileLocation>;
  readonly preprocess: PreprocessConfig;
  /** @throws on use `unsupported` or `missing`, where the model's own tokenizer cannot be opened */
  readonly tokenizer: Tokenizer;
  readonly tokenizerConfig: TokenizerConfig;
  readonly tokenizerFiles: TokenizerFiles;
  /** SHA-256 of all that decides its vectors: they compare only with those of an equal identity. */
  readonly identity: string;
}

export interface OpenOptions extends CheckpointOptions {
  /** Reads all weights at once, for those who use them again and again; else they are read when they are asked for. */
  readonly inMemory?: boolean | undefined;
}

/**
 * Opens a model of any supported layout: a folder, or a file of weights with what lies beside it.
 *
 * @throws as `openCheckpoint` does; `format` when the tokenizer has more tokens than the model
 */
export async function openModel(path: string, options: OpenOptions = {}): Promise<Model> {
  if (await isOnnxRepository(path))
    throw new CliptError(
      "unsupported",
      `${path} holds ONNX files: programs that encode pictures and texts. What is asked for needs a model's weights.`,
    );
  const checkpoint = await openCheckpoint(path, options);
  const { config, preprocess, tokenizer: tokenizerConfig, folder } = checkpoint;
  const { tensors: weights, locations } = await readAll(checkpoint.weights, options).finally(() =>
    checkpoint.weights.close(),
  );
  const tokenizerFiles = await readTokenizerFiles(folder, tokenizerConfig);
  const tokenizer = tryTokenizer(path, config.text.vocabSize, tokenizerConfig, tokenizerFiles);
  const known = tokenizer instanceof CliptError ? undefined : tokenizer.identity();
  return {
    path,
    config,
    weights,
    locations,
    preprocess,
    get tokenizer() {
      if (tokenizer instanceof CliptError) throw tokenizer;
      return tokenizer;
    },
    tokenizerConfig,
    tokenizerFiles,
    identity: identityOf({ config, preprocess, tokenizer: known, weights, locations }),
  };
}
