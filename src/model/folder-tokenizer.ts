import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Tokenizer } from "../input/text/index.js";
import { packageRoot } from "../package-root.js";
import { CliptError, messageOf } from "../tensor/index.js";
import { readIfThere } from "./read-json.js";
import { openTokenizer, tokenizerFileNames, type TokenizerConfig, type TokenizerFiles } from "./tokenizer.js";

/** A tokenizer, or why there is none: pictures can be encoded without it. */
export function tryTokenizer(
  path: string,
  vocabSize: number,
  config: TokenizerConfig,
  files: TokenizerFiles,
): Tokenizer | CliptError {
  try {
    const tokenizer = openTokenizer(config, files);
    if (tokenizer.vocabSize > vocabSize)
      return new CliptError(
        "format",
        `${path}: its tokenizer has ${tokenizer.vocabSize} tokens and its text tower knows ${vocabSize}.`,
      );
    const { start = 0, end = 0, pad } = tokenizer.identity().frame;
    const special = Math.max(start, end, pad);
    if (special < vocabSize) return tokenizer;
    return new CliptError(
      "format",
      `${path}: texts would be framed by the id ${special}, and the text tower knows ${vocabSize} tokens.`,
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

/** Bytes of it, unpacked: a small file could grow to any size. */
const most = 2 ** 26;

function unpacked(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: most });
  } catch (cause) {
    throw new CliptError("format", `${published}.gz does not unpack: ${messageOf(cause)}.`, { cause });
  }
}

/** Files that a tokenizer may need, from a model's folder. */
export async function readTokenizerFiles(folder: string, { kind }: TokenizerConfig): Promise<TokenizerFiles> {
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
    if (packed !== undefined) files.set(published, unpacked(packed));
  }
  return files;
}
