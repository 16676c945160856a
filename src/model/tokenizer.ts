import {
  clipTokenizer,
  isClipBpe,
  openTokenizer as openTokenizerFiles,
  readBpeTokenizerJson,
  readClipVocabulary,
  readSentencePieceModel,
  readTokenizerJson,
  readUnigramJson,
  readVocabAndMerges,
  sentencePieceTokenizer,
  type AnyTokenizerJson,
  type BpeVocabulary,
  type Cleaning,
  type Frame,
  type SentencePieceModel,
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
  | { readonly kind: "sentencepiece"; readonly cleaning: Cleaning; readonly frame: Frame }
  | {
      readonly kind: "hugging-face";
      /** Absent: what the file's own project does. */
      readonly cleaning?: Cleaning | undefined;
      /** Lower case before the file's own normaliser. */
      readonly lowerCase?: boolean | undefined;
      readonly context: number;
      /** The token that ends a text becomes 0: open_clip's `strip_sep_token`. */
      readonly stripSep?: boolean | undefined;
      /** Id of the padding, for a tower that tells it from text; absent: what the files say. */
      readonly pad?: number | undefined;
      /** Repository whose tokenizer it is, where the model's own folder has none. */
      readonly name?: string | undefined;
    };

/** Contents of the files that hold a vocabulary, by name. */
export type TokenizerFiles = ReadonlyMap<string, Uint8Array>;

/** Every name of such a file, in a model folder. */
export const tokenizerFileNames = [
  "tokenizer.json",
  "vocab.json",
  "merges.txt",
  "bpe_simple_vocab_16e6.txt",
  "spiece.model",
  "vocab.txt",
  "tokenizer_config.json",
] as const;

/**
 * The tokenizer that a configuration describes.
 *
 * @throws `missing` when its files are not there, `format` and `unsupported` as their readers do
 */
export function openTokenizer(config: TokenizerConfig, files: TokenizerFiles): Tokenizer {
  switch (config.kind) {
    case "clip-bpe":
      return hasOther(files)
        ? openHuggingFace({ kind: "hugging-face", context: config.context }, files)
        : clipTokenizer(readVocabulary(files), config);
    case "sentencepiece":
      return sentencePieceTokenizer(readPieces(files), config);
    case "hugging-face":
      return openHuggingFace(config, files);
  }
}

function openHuggingFace(
  { cleaning, lowerCase, stripSep, context, pad, name }: Extract<TokenizerConfig, { kind: "hugging-face" }>,
  files: TokenizerFiles,
): Tokenizer {
  if (name !== undefined && ![...files.keys()].some((file) => file !== "tokenizer_config.json"))
    throw new CliptError(
      "missing",
      `The model uses the tokenizer of ${name}: put its tokenizer.json beside the weights.`,
    );
  return openTokenizerFiles(Object.fromEntries(files), {
    cleaning,
    lowerCase,
    stripSep,
    frame: { context, ...(pad === undefined ? {} : { pad }) },
  });
}

/** Whether a model of CLIP's family was trained over another kind of vocabulary, which its own file describes. */
function hasOther(files: TokenizerFiles): boolean {
  const json = jsonOf(files);
  return json !== undefined && !isClipBpe(json) && !files.has("vocab.json");
}

function readPieces(files: TokenizerFiles): SentencePieceModel {
  const json = jsonOf(files);
  if (json !== undefined) return readUnigramJson(json);
  const bytes = files.get("spiece.model");
  if (bytes !== undefined) return readSentencePieceModel(bytes);
  throw new CliptError("missing", "The model needs its pieces: tokenizer.json or spiece.model.");
}

function readVocabulary(files: TokenizerFiles): BpeVocabulary {
  const json = jsonOf(files);
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

/** `tokenizer.json`, parsed. */
function jsonOf(files: TokenizerFiles): AnyTokenizerJson | undefined {
  const text = textOf(files, "tokenizer.json");
  return text === undefined ? undefined : readTokenizerJson(text);
}
