import {
  readClipVocabulary,
  readSentencePieceModel,
  readVocabAndMerges,
  toTokenizerJson,
  toUnigramJson,
  wordPieceJson,
  type Cleaning,
  type Frame,
} from "../../input/text/index.js";
import { CliptError } from "../../tensor/index.js";
import type { TokenizerConfig, TokenizerFiles } from "../tokenizer.js";

type Json = Record<string, unknown>;

const replace = (regex: string, content: string): Json => ({
  type: "Replace",
  pattern: { Regex: regex },
  content,
});
const lower: Json = { type: "Lowercase" };
const singleSpaces: readonly Json[] = [
  replace("\\s+", " "),
  { type: "Strip", strip_left: true, strip_right: true },
];
const punctuation = "[!-/:-@\\[-`{-~]";

/**
 * What a normaliser of `tokenizer.json` can do of a cleaning, where the file does not do it by itself. Mending of broken
 * encodings and unescaping of HTML it cannot.
 */
const steps: Readonly<Record<Cleaning, readonly Json[]>> = {
  none: [],
  // Every tokenizer.json of CLIP's kind has these steps.
  clip: [],
  lower: [],
  "clip-transformers": [],
  whitespace: singleSpaces,
  canonicalize: [replace("_", " "), replace(punctuation, ""), lower, ...singleSpaces],
  "siglip-transformers": [lower, replace(punctuation, ""), ...singleSpaces],
};

/** Files that transformers and transformers.js open as the model's tokenizer. */
export interface HuggingFaceTokenizer {
  readonly "tokenizer.json": Json;
  readonly "tokenizer_config.json": Json;
}

/**
 * A model's tokenizer in Hugging Face's files.
 *
 * @param frame of the opened tokenizer
 * @throws      `missing` when the model has no vocabulary
 */
export function toHuggingFaceTokenizer(
  config: TokenizerConfig,
  files: TokenizerFiles,
  frame: Frame,
): HuggingFaceTokenizer {
  const { json, published } = vocabularyJson(files);
  // A published file of another kind than CLIP's cleans by itself, unless OpenCLIP adds a cleaning of its own.
  const { kind, cleaning = published ? "none" : "siglip-transformers" } = config;
  const lowered = kind === "hugging-face" && config.lowerCase === true ? [lower] : [];
  const added = published && cleaning === "siglip-transformers" ? [] : [...lowered, ...steps[cleaning]];
  const own = parse(files, "tokenizer_config.json") ?? {};
  const token = tokensOf(json);
  const end = frame.end === undefined ? undefined : token(frame.end);
  const start = frame.start === undefined ? undefined : token(frame.start);
  // CLIP's towers do not read padding, and 0 is an ordinary word there: the end serves as in transformers.
  const pad = kind === "clip-bpe" ? end : token(frame.pad);
  // transformers' other classes have a normaliser of their own instead of the file's.
  const plain = kind === "clip-bpe" ? "CLIPTokenizer" : "PreTrainedTokenizerFast";
  return {
    "tokenizer.json":
      added.length === 0 ? json : { ...json, normalizer: sequence(added, json["normalizer"]) },
    "tokenizer_config.json": {
      ...own,
      tokenizer_class: added.length === 0 ? (own["tokenizer_class"] ?? plain) : plain,
      model_max_length: frame.context,
      ...(start === undefined ? {} : { bos_token: start }),
      ...(end === undefined ? {} : { eos_token: end }),
      ...(pad === undefined ? {} : { pad_token: pad }),
      ...(kind === "clip-bpe" ? { unk_token: end } : {}),
    },
  };
}

const sequence = (first: readonly Json[], then: unknown): Json => ({
  type: "Sequence",
  normalizers: [...first, ...(then == null ? [] : [then])],
});

function vocabularyJson(files: TokenizerFiles): { json: Json; published: boolean } {
  const json = parse(files, "tokenizer.json");
  if (json !== undefined) return { json, published: true };
  const text = (name: string) => new TextDecoder().decode(files.get(name));
  if (files.has("vocab.json") && files.has("merges.txt"))
    return {
      json: toTokenizerJson(readVocabAndMerges(text("vocab.json"), text("merges.txt"))),
      published: false,
    };
  if (files.has("vocab.txt"))
    return {
      json: wordPieceJson(text("vocab.txt"), parse(files, "tokenizer_config.json")),
      published: true,
    };
  const bpe = "bpe_simple_vocab_16e6.txt";
  if (files.has(bpe)) return { json: toTokenizerJson(readClipVocabulary(text(bpe))), published: false };
  const pieces = files.get("spiece.model");
  if (pieces !== undefined) return { json: toUnigramJson(readSentencePieceModel(pieces)), published: false };
  throw new CliptError("missing", "The model has no vocabulary that could be written.");
}

function parse(files: TokenizerFiles, name: string): Json | undefined {
  const bytes = files.get(name);
  return bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as Json);
}

/** Spellings of ids, from any type of model in a `tokenizer.json`. */
function tokensOf(json: Json): (id: number) => string | undefined {
  const { model, added_tokens: added = [] } = json as {
    readonly model: {
      readonly vocab: Readonly<Record<string, number>> | readonly (readonly [string, number])[];
    };
    readonly added_tokens?: readonly { readonly id: number; readonly content: string }[];
  };
  const { vocab } = model;
  return (id) =>
    added.find((token) => token.id === id)?.content ??
    (Array.isArray(vocab)
      ? (vocab as readonly (readonly [string, number])[])[id]?.[0]
      : Object.entries(vocab).find(([, other]) => other === id)?.[0]);
}
