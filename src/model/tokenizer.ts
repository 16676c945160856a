import {
  clipTokenizer,
  isClipBpe,
  readBpeTokenizerJson,
  readClipVocabulary,
  readVocabAndMerges,
  type BpeTokenizerJson,
  type BpeVocabulary,
  type Cleaning,
  type Tokenizer,
} from "../input/text/index.js";
import { CliptError } from "../tensor/index.js";

/** How a model's texts become ids: all but the vocabulary, which lies in files. */
export type TokenizerConfig =
  | {
      readonly kind: "clip-bpe";
      readonly cleaning: Cleaning;
      readonly pad: "zero" | "end";
      /** The most ids of a text. */
      readonly context: number;
    }
  | { readonly kind: "hugging-face"; readonly cleaning: Cleaning; readonly context: number };

/** Contents of the files that hold a vocabulary, by name. */
export type TokenizerFiles = ReadonlyMap<string, Uint8Array>;

/** Every name of such a file, in a model folder. */
export const tokenizerFileNames = [
  "tokenizer.json",
  "vocab.json",
  "merges.txt",
  "bpe_simple_vocab_16e6.txt",
] as const;

/**
 * The tokenizer that a configuration describes.
 *
 * @throws `missing` when its files are not there, `unsupported` for kinds that clipt does not have
 */
export function openTokenizer(config: TokenizerConfig, files: TokenizerFiles): Tokenizer {
  const json = jsonOf(files, "tokenizer.json") as BpeTokenizerJson | undefined;
  if (config.kind === "hugging-face" && (json === undefined || !isClipBpe(json)))
    throw new CliptError("unsupported", "Tokenizers other than CLIP's are not supported yet.");
  const { cleaning, context } = config;
  const pad = config.kind === "clip-bpe" ? config.pad : "zero";
  return clipTokenizer(readVocabulary(files, json), { cleaning, context, pad });
}

function readVocabulary(files: TokenizerFiles, json: BpeTokenizerJson | undefined): BpeVocabulary {
  if (json !== undefined && isClipBpe(json)) return readBpeTokenizerJson(json);
  const [vocab, merges] = [textOf(files, "vocab.json"), textOf(files, "merges.txt")];
  if (vocab !== undefined && merges !== undefined) return readVocabAndMerges(vocab, merges);
  const published = textOf(files, "bpe_simple_vocab_16e6.txt");
  if (published !== undefined) return readClipVocabulary(published);
  throw new CliptError(
    "missing",
    `The model needs CLIP's vocabulary: tokenizer.json, vocab.json with merges.txt, or bpe_simple_vocab_16e6.txt.`,
  );
}

const textOf = (files: TokenizerFiles, name: (typeof tokenizerFileNames)[number]): string | undefined => {
  const bytes = files.get(name);
  return bytes && new TextDecoder().decode(bytes);
};

function jsonOf(files: TokenizerFiles, name: "tokenizer.json"): unknown {
  const text = textOf(files, name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CliptError("format", `${name} is not JSON.`, { cause });
  }
}
