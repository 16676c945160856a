import { CliptError } from "../../tensor/index.js";
import { spellings, wordEnd, type BpeVocabulary } from "./bpe-vocabulary.js";
import { byteChars, fromByteChars } from "./bytes.js";
import { cleanings, type Cleaning } from "./clean/clean.js";
import { fingerprint } from "./fingerprint.js";
import { Heap } from "./heap.js";
import { frameTokenizer, type Frame, type Tokenizer } from "./tokenizer.js";

const escaped = (char: string): string => char.replace(/[|\\{}()[\]^$+*?.]/g, "\\$&");

/** Either case of each letter, and the letters that fold to one: ſ to s, the Kelvin sign to k. */
const anyCase = (text: string): string =>
  Array.from(text, (char) => {
    if (!/[a-z]/i.test(char)) return escaped(char);
    const folds = { s: "ſ", k: "\u212a" }[char.toLowerCase()] ?? "";
    return `[${char.toLowerCase()}${char.toUpperCase()}${folds}]`;
  }).join("");

/**
 * Words of a clean text. U+0345 belongs to none: under `IGNORECASE` it folds to a letter and yet is no `\p{L}`.
 *
 * @source openai/CLIP `SimpleTokenizer.pat`, as Python's `regex` runs it
 */
export const wordPattern = (specials: readonly string[]): RegExp =>
  new RegExp(
    [
      ...[...specials, "'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map(anyCase),
      "\\p{L}+",
      "\\p{N}",
      "[^\\p{White_Space}\\p{L}\\p{N}\u0345]+",
    ].join("|"),
    "gu",
  );

export interface Bpe {
  /** Ids of a text that is already clean. */
  readonly encode: (text: string) => number[];
  /** The same, for a text whose special tokens were cut out before: what looks like one is ordinary. */
  readonly encodePlain: (text: string) => number[];
  /** The text of ids, with a space after each word. Unknown ids are left out. */
  readonly decode: (ids: readonly number[]) => string;
}

const encoder = new TextEncoder();
const cachedWords = 1 << 16;
const longestCachedWord = 48;

/**
 * Byte-level BPE: a text is cut into words, a word into bytes, and neighbours are merged, best pair first.
 *
 * @throws `format` when a merge makes a token that the vocabulary lacks
 * @source openai/CLIP `SimpleTokenizer`
 */
export function bpe(vocabulary: BpeVocabulary): Bpe {
  const { tokens, merges, start, end } = vocabulary;
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const idOf = (token: string): number => {
    const id = ids.get(token);
    if (id !== undefined) return id;
    throw new CliptError("format", `The vocabulary lacks ${JSON.stringify(token)}, which its merges make.`);
  };
  const inner = byteChars.map(idOf);
  const last = byteChars.map((char) => idOf(char + wordEnd));
  const merged = Int32Array.from(merges, ([left, right]) => idOf(left + right));
  const ranks = new Map<number, number>();
  merges.forEach(([left, right], rank) => {
    const pair = idOf(left) * tokens.length + idOf(right);
    if (!ranks.has(pair)) ranks.set(pair, rank);
  });

  function mergeWord(word: string): number[] {
    const bytes = encoder.encode(word);
    const symbols = Int32Array.from(bytes, (byte, i) => (i === bytes.length - 1 ? last : inner)[byte]!);
    // Symbols are a linked list, the candidate pairs a heap by rank and place: long words take n log n.
    const next = Int32Array.from(symbols, (_, i) => i + 1);
    const previous = Int32Array.from(symbols, (_, i) => i - 1);
    const heap = new Heap<number>((a, b) => a < b);
    const rankAt = (at: number): number | undefined => {
      const right = next[at]!;
      return right < symbols.length ? ranks.get(symbols[at]! * tokens.length + symbols[right]!) : undefined;
    };
    const offer = (at: number): void => {
      const rank = at < 0 ? undefined : rankAt(at);
      if (rank !== undefined) heap.push(rank * places + at);
    };
    for (let at = 0; at + 1 < symbols.length; at++) offer(at);
    for (let best = heap.pop(); best !== undefined; best = heap.pop()) {
      const rank = Math.floor(best / places);
      const at = best % places;
      if (symbols[at] === gone || rankAt(at) !== rank) continue;
      const right = next[at]!;
      symbols[at] = merged[rank]!;
      symbols[right] = gone;
      next[at] = next[right]!;
      if (next[at] < symbols.length) previous[next[at]] = at;
      offer(previous[at]!);
      offer(at);
    }
    return Array.from(symbols).filter((symbol) => symbol !== gone);
  }

  const cache = new Map<string, readonly number[]>();
  function wordIds(word: string): readonly number[] {
    let result = cache.get(word);
    if (result !== undefined) return result;
    result = word === start || word === end ? [idOf(word)] : mergeWord(word);
    if (word.length <= longestCachedWord) {
      if (cache.size >= cachedWords) cache.clear();
      cache.set(word, result);
    }
    return result;
  }

  const [pattern, plain] = [wordPattern([start, end]), wordPattern([])];
  return {
    encode: (text) => (text.match(pattern) ?? []).flatMap(wordIds),
    encodePlain: (text) => (text.match(plain) ?? []).flatMap(wordIds),
    decode: (row) => {
      const text = row.map((id) => tokens[id] ?? "").join("");
      return fromByteChars(text).replaceAll(wordEnd, " ");
    },
  };
}

/** Rank and place share one number, so that one comparison orders them: ranks stay under 2^21, places under 2^32. */
const places = 2 ** 32;

/** Marks a symbol that was merged into its left neighbour. */
const gone = -1;

export interface ClipTokenizerOptions {
  readonly cleaning?: Cleaning;
  readonly context?: number;
  /** Published CLIP pads with 0; transformers pads with the end token. */
  readonly pad?: "zero" | "end";
  readonly padTo?: Frame["padTo"];
}

/** CLIP's tokenizer over one of its vocabularies; the defaults are openai/CLIP's. */
export function clipTokenizer(vocabulary: BpeVocabulary, options: ClipTokenizerOptions = {}): Tokenizer {
  const { cleaning = defaultCleaning(vocabulary), context = 77, pad = "zero", padTo = "context" } = options;
  const { tokens, merges } = vocabulary;
  const model = bpe(vocabulary);
  const start = tokens.indexOf(vocabulary.start);
  const end = tokens.indexOf(vocabulary.end);
  const frame: Frame = { start, end, pad: pad === "zero" ? 0 : end, padTo, context };
  const clean = cleanings[cleaning];
  /** transformers finds special tokens before it cleans, in their own spelling only. */
  const specialsFirst = (text: string): number[] =>
    text
      .split(new RegExp(`(${[vocabulary.start, vocabulary.end].map(escaped).join("|")})`))
      .flatMap((part, i) => (i % 2 === 1 ? [tokens.indexOf(part)] : model.encodePlain(clean(part))));
  let digest: string | undefined;
  return frameTokenizer({
    vocabSize: tokens.length,
    frame,
    pieces: cleaning === "clip-transformers" ? specialsFirst : (text) => model.encode(clean(text)),
    join: (ids) => model.decode(ids).trimEnd(),
    identity: () => ({
      kind: "clip-bpe",
      cleaning,
      frame,
      vocabulary: (digest ??= fingerprint(JSON.stringify([tokens, merges]))),
    }),
  });
}

const defaultCleaning = ({ start }: BpeVocabulary): Cleaning =>
  start === spellings.openclip.start ? "lower" : "clip";
