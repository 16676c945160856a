import { CliptError, messageOf } from "../../tensor/index.js";
import { cleanings, type Cleaning } from "./clean/clean.js";
import { fingerprint } from "./fingerprint.js";
import { HubTokenizer } from "./hub-library.js";
import { hubNormalizer, type NormalizerStep } from "./hub-normalizer.js";
import { frameTokenizer, type Frame, type Tokenizer } from "./tokenizer.js";

/** One step of the `pre_tokenizer`, which cuts a text into words. */
interface CutterStep {
  readonly type: string;
  readonly use_regex?: boolean;
  readonly add_prefix_space?: boolean;
  readonly [field: string]: unknown;
}

/** A `tokenizer.json` as far as it is looked into here. */
export interface TokenizerJson {
  readonly added_tokens?: readonly { readonly content?: string; readonly [field: string]: unknown }[];
  readonly normalizer?: NormalizerStep | null;
  readonly padding?: { readonly pad_id?: number } | null;
  readonly pre_tokenizer?: (CutterStep & { readonly pretokenizers?: readonly CutterStep[] }) | null;
  readonly model?: {
    readonly type?: string;
    readonly end_of_word_suffix?: string | null;
    readonly [field: string]: unknown;
  };
}

/** A `tokenizer_config.json` as far as it is looked into here. */
export interface TokenizerConfig {
  readonly tokenizer_class?: string | null | undefined;
  readonly model_max_length?: number | null | undefined;
  readonly bos_token?: Token | null | undefined;
  readonly eos_token?: Token | null | undefined;
  readonly pad_token?: Token | null | undefined;
  readonly unk_token?: Token | null | undefined;
  readonly sep_token?: Token | null | undefined;
  /** Gemma's and Llama's classes put these around a text whatever the file's post-processor says. */
  readonly add_bos_token?: boolean | null | undefined;
  readonly add_eos_token?: boolean | null | undefined;
  /** BERT's cleaning, where it does not stand in a `tokenizer.json`. */
  readonly do_lower_case?: boolean | null | undefined;
  readonly strip_accents?: boolean | null | undefined;
  readonly tokenize_chinese_chars?: boolean | null | undefined;
}

type Token = string | { readonly content: string };

export interface HubTokenizerOptions {
  readonly cleaning?: Cleaning;
  /** Lower case before the file's own normaliser: SigLIP 2 was trained so, and some of its files leave it out. */
  readonly lowerCase?: boolean | undefined;
  /** The token that ends a text becomes 0, wherever it stands: open_clip's `strip_sep_token`. */
  readonly stripSep?: boolean | undefined;
  /** What the files do not say or say wrongly. */
  readonly frame?: Partial<Frame>;
}

// "No limit" is written as 10^30.
export const plausibleContext = (length: number | null | undefined): number | undefined =>
  Number.isInteger(length) && length! > 0 && length! < 1_000_000 ? length! : undefined;

/** The ids that the file's post-processor puts before and after a text: at most one each. */
function specials(hub: HubTokenizer): { start?: number; end?: number } {
  const plain = hub.encode("a", { add_special_tokens: false }).ids;
  const full = hub.encode("a").ids;
  const extra = full.length - plain.length;
  const before = full.findIndex((_, i) => plain.every((id, j) => full[i + j] === id));
  if (before < 0 || before > 1 || extra - before > 1)
    throw new CliptError(
      "unsupported",
      "This tokenizer puts more than one special token before or after a text.",
    );
  return {
    ...(before === 1 ? { start: full[0]! } : {}),
    ...(extra > before ? { end: full.at(-1)! } : {}),
  };
}

/** What a tokenizer's class puts around a text by its configuration, for classes that overrule the file. */
function ruled(
  hub: HubTokenizer,
  config: TokenizerConfig,
): { start?: number | undefined; end?: number | undefined } {
  if (!/^(Gemma|Llama|Siglip2)/.test(config.tokenizer_class ?? "")) return {};
  const around = (add: boolean | null | undefined, token: Token | null | undefined) =>
    add === true ? idOf(hub, token) : undefined;
  return {
    ...(config.add_bos_token == null ? {} : { start: around(config.add_bos_token, config.bos_token) }),
    ...(config.add_eos_token == null ? {} : { end: around(config.add_eos_token, config.eos_token) }),
  };
}

/** The library's errors, when it reads a file and later when it obeys it, as ours. */
function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof CliptError) throw cause;
    throw new CliptError("format", `This tokenizer.json does not work: ${messageOf(cause)}.`, { cause });
  }
}

const spelled = (token: Token): string => (typeof token === "string" ? token : token.content);
const idOf = (hub: HubTokenizer, token: Token | null | undefined): number | undefined =>
  token == null ? undefined : hub.token_to_id(spelled(token));

/** transformers finds the special tokens of the configuration in a text, too, where the file does not list them. */
function withSpecials(json: TokenizerJson, config: TokenizerConfig): TokenizerJson {
  const { added_tokens: added = [], model } = json;
  const listed = new Set(added.map(({ content }) => content));
  const named = [config.bos_token, config.eos_token, config.pad_token, config.unk_token];
  const contents = new Set(named.flatMap((token) => (token == null ? [] : [spelled(token)])));
  const absent = [...contents].flatMap((content) => {
    const id = listed.has(content) ? undefined : idIn(model?.["vocab"], content);
    const token = { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false };
    return id === undefined ? [] : [{ ...token, special: true }];
  });
  return absent.length === 0 ? json : { ...json, added_tokens: [...added, ...absent] };
}

/** The id of a token in a vocabulary: an object, or in a unigram model a list of pieces with their scores. */
function idIn(vocab: unknown, token: string): number | undefined {
  if (!Array.isArray(vocab)) return (vocab as Readonly<Record<string, number>> | undefined)?.[token];
  const at = (vocab as readonly (readonly [string, number])[]).findIndex(([piece]) => piece === token);
  return at < 0 ? undefined : at;
}

function inLowerCase(json: TokenizerJson): TokenizerJson {
  const { normalizer } = json;
  if (JSON.stringify(normalizer ?? null).includes('"type":"Lowercase"')) return json;
  const steps = [{ type: "Lowercase" }, ...(normalizer ? [normalizer] : [])];
  return { ...json, normalizer: { type: "Sequence", normalizers: steps } };
}

// GPT-2's words, by which a byte-level step cuts once more.
const gpt2Words = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

const split = (regex: string, behavior: "Isolated" | "Removed"): CutterStep => ({
  type: "Split",
  pattern: { Regex: regex },
  behavior,
  invert: false,
});

/** The library's own steps take U+FEFF for white space; steps with the same expressions do not. */
function unicodeSpaces(json: TokenizerJson): TokenizerJson {
  const { pre_tokenizer: cutter } = json;
  if (!cutter) return json;
  const pretokenizers = (cutter.pretokenizers ?? [cutter]).flatMap((step) => {
    if (step.type === "WhitespaceSplit") return [split("\\p{White_Space}+", "Removed")];
    return step.type === "ByteLevel" && step.use_regex !== false && step.add_prefix_space !== true
      ? [split(gpt2Words, "Isolated"), { ...step, use_regex: false }]
      : [step];
  });
  return { ...json, pre_tokenizer: { type: "Sequence", pretokenizers } };
}

/**
 * Any `tokenizer.json` (BPE, Unigram, WordPiece) through Hugging Face's JavaScript tokenizers, with cut and padding by
 * the folder's `tokenizer_config.json`.
 *
 * @throws `format` when the library cannot read the file, `unsupported` when its rows have another form
 */
export function hubTokenizer(
  file: TokenizerJson,
  config: TokenizerConfig = {},
  options: HubTokenizerOptions = {},
): Tokenizer {
  const { cleaning = "none" } = options;
  const { hub, json, around } = guarded(() => {
    const json = withSpecials(options.lowerCase === true ? inLowerCase(file) : file, config);
    const hub = new HubTokenizer(unicodeSpaces(json), config);
    if (json.normalizer) hub.normalizer = hubNormalizer(json.normalizer);
    return { hub, json, around: { ...specials(hub), ...ruled(hub, config) } };
  });
  const stripped = options.stripSep === true ? (idOf(hub, config.sep_token) ?? around.end) : undefined;
  if (stripped !== undefined && around.end === stripped) around.end = 0;
  const frame: Frame = {
    ...around,
    pad: idOf(hub, config.pad_token) ?? json.padding?.pad_id ?? around.end ?? 0,
    padTo: "context",
    context: plausibleContext(config.model_max_length) ?? 512,
    ...options.frame,
  };
  const clean = cleanings[cleaning];
  let digest: string | undefined;
  return frameTokenizer({
    vocabSize: [...hub.get_vocab().values()].reduce((size, id) => Math.max(size, id + 1), 0),
    frame,
    pieces: (text) =>
      guarded(() => {
        const { ids } = hub.encode(clean(text), { add_special_tokens: false });
        if (!ids.every(Number.isSafeInteger)) throw new Error("a piece of the text has no id");
        return stripped === undefined ? ids : ids.map((id) => (id === stripped ? 0 : id));
      }),
    join: (ids) =>
      ids.length === 0 ? "" : guarded(() => hub.decode([...ids], { skip_special_tokens: true })),
    identity: () => ({
      kind: stripped === undefined ? "tokenizer.json" : "tokenizer.json, without separators",
      cleaning,
      frame,
      vocabulary: (digest ??= fingerprint(JSON.stringify(json))),
    }),
  });
}
