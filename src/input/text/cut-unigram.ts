import { CliptError } from "../../tensor/index.js";
import type { Piece, SentencePieceModel } from "./sentencepiece-model.js";

export interface CutUnigram {
  readonly model: SentencePieceModel;
  /** Old id of each new one: which rows of an embedding table to keep. */
  readonly keptIds: Int32Array;
}

/**
 * A model with fewer pieces. Texts that used a dropped piece are cut into smaller ones; all others get the same pieces
 * as before, since no score changes. Unknown and control pieces always stay.
 *
 * @throws `usage` when no ordinary piece is left
 */
export function cutUnigram(
  model: SentencePieceModel,
  keep: (piece: Piece, id: number) => boolean,
): CutUnigram {
  const keptIds = Int32Array.from(
    model.pieces.flatMap((piece, id) =>
      piece.type === "unknown" || piece.type === "control" || keep(piece, id) ? [id] : [],
    ),
  );
  const pieces = Array.from(keptIds, (id) => model.pieces[id]!);
  if (!pieces.some(({ type }) => type === "normal"))
    throw new CliptError(
      "usage",
      `Of ${model.pieces.length} pieces none would be left to spell a text with.`,
    );
  const { unknown, start, end, pad } = model;
  return {
    keptIds,
    model: {
      ...model,
      pieces,
      unknown: keptIds.indexOf(unknown),
      start: keptIds.indexOf(start),
      end: keptIds.indexOf(end),
      pad: keptIds.indexOf(pad),
    },
  };
}
