import { Charsmap } from "./charsmap.js";
import type { SentencePieceModel } from "./sentencepiece-model.js";
import { unigram } from "./unigram.js";

const space = "\u2581"; // how SentencePiece writes a space
const encoder = new TextEncoder();

/** Bytes of a character in UTF-8; a lone surrogate is encoded as U+FFFD. */
const byteLength = (point: number): number =>
  point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

/**
 * SentencePiece's normaliser: the longest rule wins at each place, a user's own symbols stay; then spaces, as the model
 * asks for it.
 *
 * @source google/sentencepiece `Normalizer::Normalize`
 */
export function normalizer(model: SentencePieceModel): (text: string) => string {
  const { addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces, charsmap } = model.normalizer;
  const rules = charsmap.length > 0 ? new Charsmap(charsmap) : undefined;
  const kept = model.pieces.filter(({ type }) => type === "user").map(({ piece }) => piece);
  const keptStarts = new Set(kept.map((symbol) => symbol.charCodeAt(0)));

  /** The longest of those symbols at a place, or "". */
  const keptAt = (text: string, at: number): string =>
    keptStarts.has(text.charCodeAt(at))
      ? kept.reduce(
          (best, symbol) => (symbol.length > best.length && text.startsWith(symbol, at) ? symbol : best),
          "",
        )
      : "";

  /** The text with each rule applied; every part, replaced or not, is offered to `take` in turn. */
  function replaceAll(text: string, take: (part: string) => void): void {
    const bytes = encoder.encode(text);
    let byte = 0;
    let length = 0;
    let value = 0;
    const longer = (ruleLength: number, ruleValue: number): void => {
      length = ruleLength;
      value = ruleValue;
    };
    for (let at = 0; at < text.length;) {
      const symbol = keptAt(text, at);
      length = 0;
      if (symbol === "") rules?.match(bytes, byte, longer);
      const replaced = length > 0;
      const from = at;
      // A rule covers whole characters.
      const stop = byte + length;
      do {
        const point = text.codePointAt(at)!;
        byte += byteLength(point);
        at += point > 0xffff ? 2 : 1;
      } while (byte < stop || at < from + symbol.length);
      take(replaced ? rules!.replacement(value) : text.slice(from, at));
    }
  }

  return (text) => {
    let result = "";
    // Spaces at the start go, before the one that is put there.
    let afterSpace = removeExtraWhitespaces;
    replaceAll(text, (part) => {
      const rest = afterSpace ? part.replace(/^ +/, "") : part;
      if (rest === "") return;
      result += rest;
      afterSpace = removeExtraWhitespaces && rest.endsWith(" ");
    });
    if (removeExtraWhitespaces) result = result.replace(/ +$/, "");
    if (result === "") return "";
    if (addDummyPrefix) result = ` ${result}`;
    return escapeWhitespaces ? result.replaceAll(" ", space) : result;
  };
}

export interface SentencePiece {
  /** Ids without start and end; none for a text of spaces. */
  readonly encode: (text: string) => number[];
  readonly decode: (ids: readonly number[]) => string;
}

/** A SentencePiece unigram tokenizer: normalises, then takes the most probable cut. */
export function sentencePiece(model: SentencePieceModel): SentencePiece {
  const { pieces, unknown } = model;
  const normalize = normalizer(model);
  // A large vocabulary takes a while to arrange, and who encodes pictures has no texts.
  let cut: ((text: string) => number[]) | undefined;
  return {
    encode: (text) => (cut ??= unigram(pieces, unknown, "single"))(normalize(text)),
    decode: (ids) =>
      ids
        .map((id) =>
          id === unknown ? " ⁇ " : pieces[id]?.type === "control" ? "" : (pieces[id]?.piece ?? ""),
        )
        .join("")
        .replaceAll(space, " ")
        .replace(/^ /, ""),
  };
}
