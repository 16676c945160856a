import { CliptError } from "../../tensor/index.js";
import { byteChars, byteOrder } from "./bytes.js";
import { readVocabJson } from "./vocab-json.js";

/** Ends the last symbol of a word. */
export const wordEnd = "</w>";

/** A byte-level vocabulary in CLIP's manner. */
export interface BpeVocabulary {
  /** Token of each id. */
  readonly tokens: readonly string[];
  /** Best first. */
  readonly merges: readonly (readonly [left: string, right: string])[];
  /** Spellings of the special tokens; a text that contains one gets its id. */
  readonly start: string;
  readonly end: string;
}

/** How the projects spell the two special tokens; the ids are the same. */
export const spellings = {
  openai: { start: "<|startoftext|>", end: "<|endoftext|>" },
  openclip: { start: "<start_of_text>", end: "<end_of_text>" },
} as const;

export type Spelling = keyof typeof spellings;

/** Merges of the file `bpe_simple_vocab_16e6.txt` that CLIP uses; the rest of it is idle. */
const publishedMerges = 49152 - 256 - 2;

/** CLIP's numbering: 256 bytes, the same at a word's end, one token per merge, start, end. */
export function numberTokens(merges: BpeVocabulary["merges"], spelling: Spelling = "openai"): BpeVocabulary {
  const alphabet = byteOrder.map((byte) => byteChars[byte]!);
  const { start, end } = spellings[spelling];
  const tokens = [
    ...alphabet,
    ...alphabet.map((char) => char + wordEnd),
    ...merges.map(([left, right]) => left + right),
    start,
    end,
  ];
  return { tokens, merges, start, end };
}

function parseMerges(text: string, most = Infinity): (readonly [string, string])[] {
  const lines = text.split("\n");
  if (lines[0]?.includes("#version")) lines.shift();
  return lines.slice(0, most).flatMap((line, i) => {
    const parts = line.trim().split(" ");
    if (parts.length === 1 && parts[0] === "") return [];
    const [left, right] = parts;
    if (left === undefined || right === undefined || parts.length > 2)
      throw new CliptError(
        "format",
        `Line ${i + 2} of the merges is ${JSON.stringify(line.slice(0, 40))}; two symbols were expected.`,
      );
    return [[left, right] as const];
  });
}

/** CLIP's published vocabulary: the text of `bpe_simple_vocab_16e6.txt`, already decompressed. */
export function readClipVocabulary(
  text: string,
  options: { readonly spelling?: Spelling; readonly merges?: number } = {},
): BpeVocabulary {
  const merges = parseMerges(text, options.merges ?? publishedMerges);
  return numberTokens(merges, options.spelling);
}

const specialTokens = (tokens: readonly string[]): { start: string; end: string } => {
  const pair = Object.values(spellings).find(
    ({ start, end }) => tokens.includes(start) && tokens.includes(end),
  );
  if (pair !== undefined) return pair;
  throw new CliptError(
    "format",
    `The vocabulary has neither ${Object.values(spellings)
      .map(({ start, end }) => `${start} and ${end}`)
      .join(" nor ")}; it is not a CLIP vocabulary.`,
  );
};

function byId(vocab: Readonly<Record<string, number>>): string[] {
  const entries = Object.entries(vocab);
  const tokens: (string | undefined)[] = entries.map(() => undefined);
  // Two tokens of one id leave another without: the ids count through.
  for (const [token, id] of entries) if (id < tokens.length) tokens[id] = token;
  const used = entries.reduce((length, [, id]) => Math.max(length, id + 1), 0);
  const gap = tokens.slice(0, used).indexOf(undefined);
  if (gap !== -1 || used > tokens.length)
    throw new CliptError(
      "format",
      `No token of the vocabulary has the id ${gap === -1 ? tokens.length : gap}.`,
    );
  return tokens.slice(0, used) as string[];
}

/** The pair of files `vocab.json` and `merges.txt`. */
export function readVocabAndMerges(vocabJson: string, mergesTxt: string): BpeVocabulary {
  const tokens = byId(readVocabJson(vocabJson));
  return { tokens, merges: parseMerges(mergesTxt), ...specialTokens(tokens) };
}

/** The parts of a `tokenizer.json` that a byte-level BPE needs. */
export interface BpeTokenizerJson {
  readonly added_tokens?: readonly { readonly id: number; readonly content: string }[];
  readonly model: {
    readonly type?: string;
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges?: readonly (string | readonly [string, string])[] | null;
    readonly end_of_word_suffix?: string | null;
  };
}

/** Whether a `tokenizer.json` is a byte-level BPE in CLIP's manner. */
export const isClipBpe = (json: { model?: { type?: unknown; end_of_word_suffix?: unknown } }): boolean =>
  json.model?.end_of_word_suffix === wordEnd && (json.model.type ?? "BPE") === "BPE";

/** A `tokenizer.json` of CLIP. */
export function readBpeTokenizerJson(json: BpeTokenizerJson): BpeVocabulary {
  const { model, added_tokens = [] } = json;
  const tokens = byId({
    ...model.vocab,
    ...Object.fromEntries(added_tokens.map(({ content, id }) => [content, id])),
  });
  const merges = (model.merges ?? []).flatMap((merge) =>
    typeof merge === "string" ? parseMerges(merge).slice(0, 1) : [[merge[0], merge[1]] as const],
  );
  return { tokens, merges, ...specialTokens(tokens) };
}
