import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { FileLocation } from "../graph/index.js";
import type { PreprocessConfig } from "../input/image/index.js";
import type { Tokenizer } from "../input/text/index.js";
import { packageRoot } from "../package-root.js";
import { CliptError, messageOf, type Tensor } from "../tensor/index.js";
import { openCheckpoint, type CheckpointOptions } from "./checkpoint.js";
import type { ClipConfig } from "./config.js";
import { identityOf } from "./identity.js";
import { readIfThere } from "./read-json.js";
import { openTokenizer, tokenizerFileNames, type TokenizerConfig, type TokenizerFiles } from "./tokenizer.js";
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
  const checkpoint = await openCheckpoint(path, options);
  const { config, preprocess, tokenizer: tokenizerConfig, folder } = checkpoint;
  const { tensors: weights, locations } = await readAll(checkpoint.weights, options).finally(() =>
    checkpoint.weights.close(),
  );
  const tokenizerFiles = await readTokenizerFiles(folder, tokenizerConfig);
  const tokenizer = tryTokenizer(path, config, tokenizerConfig, tokenizerFiles);
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

/** A tokenizer, or why there is none: pictures can be encoded without it. */
function tryTokenizer(
  path: string,
  { text }: ClipConfig,
  config: TokenizerConfig,
  files: TokenizerFiles,
): Tokenizer | CliptError {
  try {
    const tokenizer = openTokenizer(config, files);
    if (tokenizer.vocabSize <= text.vocabSize) return tokenizer;
    return new CliptError(
      "format",
      `${path}: its tokenizer has ${tokenizer.vocabSize} tokens and its text tower knows ${text.vocabSize}.`,
    );
  } catch (error) {
    if (error instanceof CliptError)
      return new CliptError(error.code, `${path}: ${error.message}`, { cause: error });
    return new CliptError("format", `${path}: its tokenizer cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

/** CLIP's published vocabulary, which published folders leave out. */
const published = "bpe_simple_vocab_16e6.txt";

async function readTokenizerFiles(folder: string, { kind }: TokenizerConfig): Promise<TokenizerFiles> {
  const files = new Map<string, Uint8Array>();
  for (const name of tokenizerFileNames) {
    const bytes = await readIfThere(join(folder, name));
    if (bytes !== undefined) files.set(name, bytes);
  }
  if (
    kind === "clip-bpe" &&
    !files.has("tokenizer.json") &&
    !files.has("vocab.json") &&
    !files.has(published)
  ) {
    const packed =
      (await readIfThere(join(folder, `${published}.gz`))) ??
      (await readIfThere(join(packageRoot, "models", "clip-bpe", `${published}.gz`)));
    if (packed !== undefined) files.set(published, gunzipSync(packed));
  }
  return files;
}
