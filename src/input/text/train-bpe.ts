import { CliptError } from "../../tensor/index.js";
import { wordPattern } from "./bpe.js";
import { numberTokens, wordEnd, type BpeVocabulary } from "./bpe-vocabulary.js";
import { byteChars, byteOrder } from "./bytes.js";
import { cleanings, type Cleaning } from "./clean/clean.js";
import { PairCounts } from "./pair-counts.js";

export interface TrainBpeOptions {
  /** Tokens in all: 512 bytes, the merges, start and end. */
  readonly vocabSize: number;
  readonly cleaning?: Cleaning;
  /** A pair seen less often is not merged, so the vocabulary may stay smaller than asked for. */
  readonly minFrequency?: number;
}

interface Word {
  symbols: number[];
  readonly count: number;
}

/** How often each word of the cleaned texts occurs. */
function countWords(texts: Iterable<string>, cleaning: Cleaning): Map<string, number> {
  const counts = new Map<string, number>();
  const pattern = wordPattern([]);
  for (const text of texts)
    for (const word of cleanings[cleaning](text).match(pattern) ?? [])
      counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/**
 * Learns a byte-level vocabulary in CLIP's manner from texts of any language: the most frequent pair of neighbours is
 * merged, again and again; of equally frequent pairs the first in the order of their spelling. Equal texts give equal
 * vocabularies, in any order. A pair that would spell a token that exists already is passed over.
 *
 * @throws `usage` when `vocabSize` leaves no room for the bytes and the two special tokens
 * @source Sennrich et al. 2016; openai/CLIP for bytes, words and numbering
 */
export function trainBpe(texts: Iterable<string>, options: TrainBpeOptions): BpeVocabulary {
  const { vocabSize, cleaning = "lower", minFrequency = 2 } = options;
  const room = vocabSize - 514;
  if (!Number.isInteger(room) || room < 0)
    throw new CliptError(
      "usage",
      `A vocabulary of ${vocabSize} tokens is too small: 512 bytes, start and end take 514.`,
    );

  const spellings = [...byteOrder, ...byteOrder].map(
    (byte, i) => byteChars[byte]! + (i < 256 ? "" : wordEnd),
  );
  const known = new Set(spellings);
  const symbolOf = new Map(byteOrder.map((byte, symbol) => [byte, symbol]));
  const encoder = new TextEncoder();
  const words = Array.from(countWords(texts, cleaning), ([word, count]): Word => {
    const symbols = Array.from(encoder.encode(word), (byte) => symbolOf.get(byte)!);
    symbols.push(symbols.pop()! + 256);
    return { symbols, count };
  });

  const counts = new PairCounts(spellings, vocabSize);
  words.forEach(({ symbols, count }, word) => {
    for (let i = 0; i + 1 < symbols.length; i++) counts.add(symbols[i]!, symbols[i + 1]!, count, word);
  });

  const merges: [string, string][] = [];
  while (merges.length < room) {
    const best = counts.takeBest(minFrequency);
    if (best === undefined) break;
    const { left, right } = best;
    const spelling = spellings[left]! + spellings[right]!;
    if (known.has(spelling)) continue;
    known.add(spelling);
    merges.push([spellings[left]!, spellings[right]!]);
    const merged = spellings.push(spelling) - 1;
    for (const index of best.words) mergeIn(words[index]!, index, left, right, merged, counts);
  }
  return numberTokens(merges);
}

/** Replaces a pair in one word, from the left, and counts the pairs that vanish and appear. */
function mergeIn(
  word: Word,
  index: number,
  left: number,
  right: number,
  merged: number,
  counts: PairCounts,
): void {
  const { symbols, count } = word;
  const result: number[] = [];
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] !== left || symbols[i + 1] !== right) {
      result.push(symbols[i]!);
      continue;
    }
    counts.add(left, right, -count, index);
    const before = result.at(-1);
    const after = symbols[i + 2];
    if (before !== undefined) {
      counts.add(before, left, -count, index);
      counts.add(before, merged, count, index);
    }
    if (after !== undefined) {
      counts.add(right, after, -count, index);
      counts.add(merged, after, count, index);
    }
    result.push(merged);
    i++;
  }
  word.symbols = result;
}
