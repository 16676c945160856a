import { cleanings, type Cleaning } from "./clean/clean.js";
import { fingerprint } from "./fingerprint.js";
import { sentencePiece } from "./sentencepiece.js";
import type { SentencePieceModel } from "./sentencepiece-model.js";
import { siglipPieces } from "./siglip-pieces.js";
import { frameTokenizer, type Frame, type Tokenizer } from "./tokenizer.js";

export interface SentencePieceTokenizerOptions {
  readonly frame: Frame;
  readonly cleaning?: Cleaning;
}

/** A tokenizer over a SentencePiece model. */
export function sentencePieceTokenizer(
  model: SentencePieceModel,
  { frame, cleaning = "none" }: SentencePieceTokenizerOptions,
): Tokenizer {
  const { encode, decode } = sentencePiece(model);
  const clean = cleanings[cleaning];
  let digest: string | undefined;
  return frameTokenizer({
    vocabSize: model.pieces.length,
    frame,
    pieces: cleaning === "siglip-transformers" ? siglipPieces(model) : (text) => encode(clean(text)),
    join: decode,
    identity: () => ({
      kind: "sentencepiece",
      cleaning,
      frame,
      vocabulary: (digest ??= fingerprint(
        JSON.stringify([
          model.pieces,
          { ...model.normalizer, charsmap: Array.from(model.normalizer.charsmap) },
        ]),
      )),
    }),
  });
}

/**
 * The Universal Sentence Encoder's rows: start, pieces, end; as long as the longest, since its tower masks padding.
 * Its tower sums over positions and has no context of its own, so `context` only bounds the work.
 */
export const useFrame = ({ start, end, pad }: SentencePieceModel, context = 512): Frame => ({
  start,
  end,
  pad: Math.max(pad, 0),
  padTo: "longest",
  context,
});

/** SigLIP's rows: pieces, end, and the end again as padding up to the context. */
export const siglipFrame = (end = 1, context = 64): Frame => ({ end, pad: end, padTo: "context", context });
