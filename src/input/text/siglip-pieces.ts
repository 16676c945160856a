import { cleanings } from "./clean/clean.js";
import { sentencePiece } from "./sentencepiece.js";
import type { SentencePieceModel } from "./sentencepiece-model.js";

const space = "\u2581"; // how SentencePiece writes a space

/**
 * Ids of a text as transformers' SiglipTokenizer makes them: special tokens that stand in it keep their ids, what lies
 * between them is cleaned and cut, and only the text's start gets a space before it. An end at the end stays single.
 *
 * @source transformers `SiglipTokenizer.tokenize`, `_add_eos_if_not_present`
 */
export function siglipPieces(model: SentencePieceModel): (text: string) => number[] {
  const { pieces, unknown, end } = model;
  const clean = cleanings["siglip-transformers"];
  const specials = new Map([unknown, end].filter((id) => id >= 0).map((id) => [pieces[id]!.piece, id]));
  const { encode: first } = sentencePiece(model);
  const { encode: further } = sentencePiece({
    ...model,
    normalizer: { ...model.normalizer, addDummyPrefix: false },
  });
  // SentencePiece drops spaces at a start, so the project puts a word before each part and takes its pieces off again.
  const word = pieces[unknown]!.piece;
  const taken = further(word).length;
  const pattern = new RegExp(
    `(${[...specials.keys()].map((token) => token.replace(/\W/g, "\\$&")).join("|")})`,
  );
  return (text) => {
    const ids = text
      .replaceAll(space, " ")
      .split(pattern)
      .flatMap((part, i) => {
        const special = specials.get(part);
        if (special !== undefined) return [special];
        return i === 0 ? first(clean(part)) : further(word + clean(part)).slice(taken);
      });
    return ids.at(-1) === end ? ids.slice(0, -1) : ids;
  };
}
