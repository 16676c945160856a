import { CliptError } from "../../tensor/index.js";
import { clipTokenizer } from "./bpe.js";
import { isClipBpe, readBpeTokenizerJson, readClipVocabulary, readVocabAndMerges } from "./bpe-vocabulary.js";
import type { Spelling } from "./bpe-vocabulary.js";
import type { Cleaning } from "./clean/clean.js";
import { hubTokenizer, plausibleContext } from "./hub-tokenizer.js";
import { readSentencePieceModel } from "./sentencepiece-model.js";
import { sentencePieceTokenizer, siglipFrame } from "./sentencepiece-tokenizer.js";
import type { Frame, Tokenizer } from "./tokenizer.js";
import { readTokenizerConfig, readTokenizerJson } from "./tokenizer-json.js";
import { wordPieceJson } from "./word-piece-json.js";

/** Contents of a tokenizer's files by name, decompressed. Those that are not needed may be left out. */
export type TokenizerFiles = Readonly<Record<string, Uint8Array>>;

export interface OpenTokenizerOptions {
  /** What the model's own configuration says; by default what the file's project does. */
  readonly cleaning?: Cleaning | undefined;
  /** See `HubTokenizerOptions`. */
  readonly lowerCase?: boolean | undefined;
  /** See `HubTokenizerOptions`. */
  readonly stripSep?: boolean | undefined;
  readonly frame?: Partial<Frame>;
  /** Which project's spelling of the special tokens goes with `bpe_simple_vocab_16e6.txt`. */
  readonly spelling?: Spelling;
}

const decoder = new TextDecoder();

/** Whether a file is CLIP's published vocabulary, by its name or its first line. */
export const isClipVocabulary = (name: string, bytes: Uint8Array): boolean =>
  /bpe.*\.txt$/.test(name) || decoder.decode(bytes.subarray(0, 64)).includes("bpe_simple_vocab");

/**
 * The tokenizer that a set of files holds: `tokenizer.json`, else `vocab.json` with `merges.txt`, else BERT's `vocab.txt`,
 * else a SentencePiece model, else CLIP's published vocabulary. transformers' SiglipTokenizer reads its SentencePiece
 * model and no other file; a `tokenizer.json` beside it cleans a few texts in another way, so the model comes first there.
 *
 * @throws `missing` when none of them is there
 */
export function openTokenizer(files: TokenizerFiles, options: OpenTokenizerOptions = {}): Tokenizer {
  const text = (name: string): string | undefined => {
    const bytes = files[name];
    return bytes === undefined ? undefined : decoder.decode(bytes);
  };
  const config = readTokenizerConfig(text("tokenizer_config.json"));
  const { cleaning, lowerCase = false, stripSep, frame = {}, spelling } = options;
  const spiece = Object.keys(files).find((name) => name.endsWith(".model"));
  const piecesFirst = spiece !== undefined && config.tokenizer_class === "SiglipTokenizer";
  const own = { ...(cleaning === undefined ? {} : { cleaning }) };
  const clip = { ...own, ...(frame.context === undefined ? {} : { context: frame.context }) };

  const json = text("tokenizer.json");
  if (json !== undefined && !piecesFirst) {
    const parsed = readTokenizerJson(json);
    // A cleaning of ours on CLIP's kind of vocabulary: no need for the library, which is slower.
    return isClipBpe(parsed) && cleaning !== undefined && cleaning !== "none"
      ? clipTokenizer(readBpeTokenizerJson(parsed), clip)
      : hubTokenizer(parsed, config, { ...own, lowerCase, stripSep, frame });
  }
  const [vocab, merges] = [text("vocab.json"), text("merges.txt")];
  if (vocab !== undefined && merges !== undefined)
    return clipTokenizer(readVocabAndMerges(vocab, merges), {
      cleaning: "clip-transformers",
      pad: "end",
      ...clip,
    });

  const pieces = text("vocab.txt");
  if (pieces !== undefined)
    return hubTokenizer(wordPieceJson(pieces, config), config, { ...own, stripSep, frame });

  if (spiece !== undefined) {
    const model = readSentencePieceModel(files[spiece]!);
    const context = plausibleContext(config.model_max_length) ?? 64;
    return sentencePieceTokenizer(model, {
      cleaning: cleaning ?? "siglip-transformers",
      frame: { ...siglipFrame(Math.max(model.end, 0), context), ...frame },
    });
  }
  const published = Object.entries(files).find(([name, bytes]) => isClipVocabulary(name, bytes));
  if (published !== undefined)
    return clipTokenizer(
      readClipVocabulary(decoder.decode(published[1]), spelling === undefined ? {} : { spelling }),
      clip,
    );
  throw new CliptError(
    "missing",
    "No tokenizer: expected tokenizer.json, vocab.json with merges.txt, vocab.txt, a SentencePiece .model or bpe_simple_vocab_16e6.txt.",
  );
}
