/** Text to ids: cleaning, tokenizers, vocabularies. Platform-neutral: files come in as text or bytes. */
export * from "./bpe.js";
export * from "./bpe-vocabulary.js";
export { cleanings, type Cleaning } from "./clean/clean.js";
export { fixText } from "./clean/fix-text.js";
export { htmlUnescape } from "./clean/html-unescape.js";
export * from "./fingerprint.js";
export * from "./tokenizer.js";
export * from "./train-bpe.js";
export * from "./write-bpe.js";
export * from "./sentencepiece.js";
export * from "./sentencepiece-model.js";
export * from "./cut-unigram.js";
export * from "./sentencepiece-tokenizer.js";
export { readUnigramJson, toUnigramJson, type UnigramTokenizerJson } from "./unigram-json.js";
export * from "./compare-tokenizer.js";
export {
  hubTokenizer,
  type HubTokenizerOptions,
  type TokenizerConfig,
  type TokenizerJson,
} from "./hub-tokenizer.js";
export * from "./open-tokenizer.js";
export { type AnyTokenizerJson, readTokenizerJson } from "./tokenizer-json.js";
export * from "./word-piece-json.js";
