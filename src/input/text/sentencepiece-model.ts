import { PbfReader } from "pbf";
import { CliptError } from "../../tensor/index.js";

export type PieceType = "normal" | "unknown" | "control" | "user" | "unused" | "byte";

export interface Piece {
  readonly piece: string;
  /** Log probability, float32. */
  readonly score: number;
  readonly type: PieceType;
}

/** A SentencePiece unigram model: all that decides how it cuts a text. */
export interface SentencePieceModel {
  readonly pieces: readonly Piece[];
  readonly unknown: number;
  /** Ids of start, end and padding; -1 where the model has none. */
  readonly start: number;
  readonly end: number;
  readonly pad: number;
  readonly normalizer: {
    /** Compiled rules; empty where the model normalises nothing. */
    readonly charsmap: Uint8Array;
    readonly addDummyPrefix: boolean;
    readonly removeExtraWhitespaces: boolean;
    readonly escapeWhitespaces: boolean;
  };
}

// Numbers of `SentencePiece.Type` in sentencepiece_model.proto.
const types: readonly (PieceType | undefined)[] = [
  undefined,
  "normal",
  "unknown",
  "control",
  "user",
  "unused",
  "byte",
];
const unigram = 1;

function readPiece(pbf: PbfReader): Piece {
  const piece = { piece: "", score: 0, type: 1 };
  pbf.readMessage((tag) => {
    if (tag === 1) piece.piece = pbf.readString();
    else if (tag === 2) piece.score = pbf.readFloat();
    else if (tag === 3) piece.type = pbf.readVarint();
  }, piece);
  return { ...piece, type: types[piece.type] ?? "normal" };
}

/**
 * Reads a `.model` file of SentencePiece.
 *
 * @throws `format` when the bytes are no such file, `unsupported` when the model is not a unigram one
 * @source google/sentencepiece `sentencepiece_model.proto`
 */
export function readSentencePieceModel(bytes: Uint8Array): SentencePieceModel {
  const pieces: Piece[] = [];
  const trainer = {
    type: unigram,
    byteFallback: false,
    suffix: false,
    unknown: 0,
    start: 1,
    end: 2,
    pad: -1,
  };
  const normalizer = {
    charsmap: new Uint8Array(),
    addDummyPrefix: true,
    removeExtraWhitespaces: true,
    escapeWhitespaces: true,
  };
  try {
    const pbf = new PbfReader(bytes);
    pbf.readFields((tag) => {
      if (tag === 1) pieces.push(readPiece(pbf));
      else if (tag === 2)
        pbf.readMessage((field) => {
          if (field === 3) trainer.type = pbf.readVarint();
          else if (field === 24) trainer.suffix = pbf.readBoolean();
          else if (field === 35) trainer.byteFallback = pbf.readBoolean();
          else if (field === 40) trainer.unknown = pbf.readVarint(true);
          else if (field === 41) trainer.start = pbf.readVarint(true);
          else if (field === 42) trainer.end = pbf.readVarint(true);
          else if (field === 43) trainer.pad = pbf.readVarint(true);
        }, trainer);
      else if (tag === 3)
        pbf.readMessage((field) => {
          if (field === 2) normalizer.charsmap = Uint8Array.from(pbf.readBytes());
          else if (field === 3) normalizer.addDummyPrefix = pbf.readBoolean();
          else if (field === 4) normalizer.removeExtraWhitespaces = pbf.readBoolean();
          else if (field === 5) normalizer.escapeWhitespaces = pbf.readBoolean();
        }, normalizer);
    }, undefined);
  } catch (cause) {
    throw new CliptError("format", "Not a SentencePiece model: its bytes are no protobuf message.", {
      cause,
    });
  }
  if (pieces.length === 0) throw new CliptError("format", "Not a SentencePiece model: it holds no pieces.");
  if (trainer.type !== unigram || trainer.byteFallback || trainer.suffix)
    throw new CliptError(
      "unsupported",
      "This SentencePiece model is not a unigram one (or has byte fallback or white space at the end of words); " +
        "use the tokenizer.json of the same model.",
    );
  const { unknown, start, end, pad } = trainer;
  const isPiece = (id: number) => id === -1 || pieces[id] !== undefined;
  if (unknown === -1 || ![unknown, start, end, pad].every(isPiece))
    throw new CliptError(
      "format",
      `Not a SentencePiece model that can be read: it has ${pieces.length} pieces, and its special ones are ${unknown}, ${start}, ${end}, ${pad}.`,
    );
  return { pieces, unknown, start, end, pad, normalizer };
}
