import type { TokenizerConfig, TokenizerJson } from "./hub-tokenizer.js";

/** Tokens that stand for no text, in BERT's vocabularies. */
const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/**
 * BERT's `vocab.txt`, one piece a line, as the `tokenizer.json` that transformers makes of it.
 *
 * @param config `tokenizer_config.json`: whether letters are lowered, accents taken off, Chinese characters set apart
 * @source       transformers `BertTokenizer`
 */
export function wordPieceJson(
  vocabulary: string,
  config: TokenizerConfig = {},
): TokenizerJson & Record<string, unknown> {
  const lines = vocabulary.split(/\r?\n/);
  // An end of line ends the last piece; a piece of its own is never empty.
  if (lines.at(-1) === "") lines.pop();
  const vocab = Object.fromEntries(lines.map((piece, id) => [piece, id]));
  const known = special.filter((piece) => piece in vocab);
  const around = (piece: string) => ({ SpecialToken: { id: piece, type_id: 0 } });
  return {
    added_tokens: known.map((content) => ({
      id: vocab[content]!,
      content,
      ...{ single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
    })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: config.tokenize_chinese_chars ?? true,
      strip_accents: config.strip_accents ?? null,
      lowercase: config.do_lower_case ?? true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [around("[CLS]"), { Sequence: { id: "A", type_id: 0 } }, around("[SEP]")],
      pair: [],
      special_tokens: Object.fromEntries(
        known.map((piece) => [piece, { id: piece, ids: [vocab[piece]!], tokens: [piece] }]),
      ),
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}
