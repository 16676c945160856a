import { z } from "zod";
import { CliptError, parseJson } from "../../tensor/index.js";
import type { BpeTokenizerJson } from "./bpe-vocabulary.js";
import type { TokenizerConfig, TokenizerJson } from "./hub-tokenizer.js";
import type { UnigramTokenizerJson } from "./unigram-json.js";
import { isVocabulary, mostTokens } from "./vocab-json.js";

/** A `tokenizer.json` of any kind: its `model` tells which. */
export type AnyTokenizerJson = TokenizerJson & BpeTokenizerJson & UnigramTokenizerJson;

const id = z.int().min(0).max(mostTokens);
const step = z.looseObject({ type: z.string() });
const steps = (list: string) => step.extend({ [list]: z.array(step).nullish() }).nullish();
const outline = z.looseObject({
  added_tokens: z
    .array(z.looseObject({ id, content: z.string(), special: z.boolean().optional() }))
    .nullish(),
  normalizer: steps("normalizers"),
  pre_tokenizer: steps("pretokenizers"),
  post_processor: step.nullish(),
  decoder: step.nullish(),
  padding: z.looseObject({ pad_id: id.optional() }).nullish(),
  model: z.looseObject({
    type: z.string().optional(),
    unk_id: id.nullish(),
    unk_token: z.string().nullish(),
    end_of_word_suffix: z.string().nullish(),
    continuing_subword_prefix: z.string().nullish(),
    max_input_chars_per_word: z.int().positive().nullish(),
  }),
});

/**
 * A `tokenizer.json`, checked as far as it is looked into here.
 *
 * @throws `format` where something has a type that it cannot have
 */
export function readTokenizerJson(text: string): AnyTokenizerJson {
  const json = checked(outline, parseJson(text, "tokenizer.json"), "tokenizer.json");
  checkVocabulary(json.model["vocab"], json.model.type === "Unigram");
  checkMerges(json.model["merges"]);
  return { ...json, added_tokens: json.added_tokens ?? [] } as unknown as AnyTokenizerJson;
}

/** Not by a schema: there are hundreds of thousands. */
function checkVocabulary(vocab: unknown, isUnigram: boolean): void {
  const isPiece = (piece: unknown): boolean =>
    Array.isArray(piece) && typeof piece[0] === "string" && typeof piece[1] === "number";
  const fits = isUnigram
    ? Array.isArray(vocab) && vocab.length <= mostTokens && vocab.every(isPiece)
    : isVocabulary(vocab);
  if (!fits)
    throw new CliptError(
      "format",
      `tokenizer.json, model.vocab: ${isUnigram ? "pieces with their scores" : "tokens with their ids"} were expected.`,
    );
}

function checkMerges(merges: unknown): void {
  const isMerge = (merge: unknown): boolean =>
    typeof merge === "string" ||
    (Array.isArray(merge) && merge.length === 2 && merge.every((token) => typeof token === "string"));
  if (merges != null && !(Array.isArray(merges) && merges.every(isMerge)))
    throw new CliptError("format", "tokenizer.json, model.merges: pairs of tokens were expected.");
}

const token = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish();
const config = z.looseObject({
  tokenizer_class: z.string().nullish(),
  model_max_length: z.number().nullish(),
  bos_token: token,
  eos_token: token,
  pad_token: token,
  unk_token: token,
  sep_token: token,
  add_bos_token: z.boolean().nullish(),
  add_eos_token: z.boolean().nullish(),
  do_lower_case: z.boolean().nullish(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().nullish(),
});

/** A `tokenizer_config.json`, checked likewise; {} where there is none. */
export const readTokenizerConfig = (text: string | undefined): TokenizerConfig =>
  text === undefined
    ? {}
    : checked(config, parseJson(text, "tokenizer_config.json"), "tokenizer_config.json");

function checked<S extends z.ZodType>(schema: S, json: unknown, file: string): z.output<S> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const at = issue!.path.length > 0 ? `, ${issue!.path.join(".").slice(0, 80)}` : "";
  throw new CliptError("format", `${file}${at}: ${issue!.message.slice(0, 200)}.`, { cause: result.error });
}
