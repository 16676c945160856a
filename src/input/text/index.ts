/** Text to ids: cleaning, tokenizers, vocabularies. Platform-neutral: files come in as text or bytes. */
export * from "./bpe.js";
export * from "./bpe-vocabulary.js";
export { cleanings, type Cleaning } from "./clean/clean.js";
export { fixText } from "./clean/fix-text.js";
export { htmlUnescape } from "./clean/html-unescape.js";
export * from "./fingerprint.js";
export * from "./tokenizer.js";
