import { wordEnd, type BpeVocabulary } from "./bpe-vocabulary.js";

/** Contents of `vocab.json`: id of each token. */
export const toVocabJson = ({ tokens }: BpeVocabulary): string =>
  JSON.stringify(Object.fromEntries(tokens.map((token, id) => [token, id])));

/** Contents of `merges.txt`. */
export const toMergesTxt = ({ merges }: BpeVocabulary): string =>
  ["#version: 0.2", ...merges.map((pair) => pair.join(" ")), ""].join("\n");

const escaped = (text: string): string => text.replaceAll("|", "\\|");

/**
 * A `tokenizer.json` in Hugging Face's layout of CLIP. Its normaliser knows NFC, spaces and lower case only, so ids are
 * equal for texts that need no mending, and for all texts that were cleaned before.
 */
export function toTokenizerJson(vocabulary: BpeVocabulary): Record<string, unknown> {
  const { tokens, merges, start, end } = vocabulary;
  const [startId, endId] = [tokens.indexOf(start), tokens.indexOf(end)];
  const added = (content: string, id: number) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  const words = `${[start, end].map(escaped).join("|")}|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+`;
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [added(start, startId), added(end, endId)],
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "NFC" },
        { type: "Replace", pattern: { Regex: "\\s+" }, content: " " },
        { type: "Lowercase" },
      ],
    },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: words }, behavior: "Removed", invert: true },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: {
      type: "RobertaProcessing",
      sep: [end, endId],
      cls: [start, startId],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: end,
      continuing_subword_prefix: "",
      end_of_word_suffix: wordEnd,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map(([left, right]) => [left, right]),
    },
  };
}
