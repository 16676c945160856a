import { CliptError } from "../../tensor/index.js";
import { fromBase64, toBase64 } from "./base64.js";
import type { Piece, PieceType, SentencePieceModel } from "./sentencepiece-model.js";

/** The parts of a `tokenizer.json` of type Unigram that say how a text is cut. */
export interface UnigramTokenizerJson {
  readonly added_tokens?: readonly {
    readonly id: number;
    readonly content: string;
    readonly special?: boolean;
  }[];
  readonly normalizer?: unknown;
  readonly model: {
    readonly type: "Unigram";
    readonly unk_id?: number | null;
    readonly vocab: readonly (readonly [piece: string, score: number])[];
    readonly byte_fallback?: boolean;
  };
}

/** The shortest decimal that reads back as the same float32. */
function shortest(score: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(score.toPrecision(digits));
    if (Math.fround(short) === Math.fround(score)) return short;
  }
  return Number(score.toPrecision(9));
}

/** The compiled rules somewhere in a normaliser, or none. */
export function findCharsmap(normalizer: unknown): Uint8Array {
  const { precompiled_charsmap: blob, normalizers = [] } = (normalizer ?? {}) as {
    precompiled_charsmap?: string | null;
    normalizers?: readonly unknown[];
  };
  if (typeof blob === "string") return fromBase64(blob);
  return normalizers.map(findCharsmap).find(({ length }) => length > 0) ?? new Uint8Array();
}

/**
 * A SentencePiece model as Hugging Face's `tokenizer.json`, which other programs read, too. They normalise letter by
 * letter where SentencePiece takes the longest rule, so a few texts with stacked marks may get other ids there.
 */
export function toUnigramJson(model: SentencePieceModel): UnigramTokenizerJson & Record<string, unknown> {
  const { pieces, start, end } = model;
  const metaspace = { type: "Metaspace", replacement: "\u2581", prepend_scheme: "always", split: false };
  const special = (id: number) => ({ SpecialToken: { id: pieces[id]!.piece, type_id: 0 } });
  const around = (text: unknown) => [
    ...(start < 0 ? [] : [special(start)]),
    text,
    ...(end < 0 ? [] : [special(end)]),
  ];
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: pieces.flatMap(({ piece, type }, id) =>
      type === "normal" || type === "unused"
        ? []
        : [
            {
              id,
              content: piece,
              single_word: false,
              lstrip: false,
              rstrip: false,
              normalized: false,
              special: type !== "user",
            },
          ],
    ),
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Precompiled", precompiled_charsmap: toBase64(model.normalizer.charsmap) },
        { type: "Replace", pattern: { Regex: " {2,}" }, content: " " },
        { type: "Strip", strip_left: true, strip_right: true },
      ],
    },
    pre_tokenizer: metaspace,
    post_processor: {
      type: "TemplateProcessing",
      single: around({ Sequence: { id: "A", type_id: 0 } }),
      pair: [
        ...around({ Sequence: { id: "A", type_id: 0 } }),
        ...around({ Sequence: { id: "B", type_id: 0 } }),
      ],
      special_tokens: Object.fromEntries(
        [start, end]
          .filter((id) => id >= 0)
          .map((id) => [
            pieces[id]!.piece,
            { id: pieces[id]!.piece, ids: [id], tokens: [pieces[id]!.piece] },
          ]),
      ),
    },
    decoder: metaspace,
    model: {
      type: "Unigram",
      unk_id: model.unknown,
      vocab: pieces.map(({ piece, score }) => [piece, shortest(score)] as const),
      byte_fallback: false,
    },
  };
}

/**
 * Reads such a file back as the SentencePiece model that it holds; the inverse of `toUnigramJson`.
 *
 * @throws `unsupported` where the model is of another type or falls back to bytes, `format` without an unknown piece
 */
export function readUnigramJson(json: UnigramTokenizerJson): SentencePieceModel {
  const { model, added_tokens = [] } = json;
  if (model.type !== "Unigram" || model.byte_fallback === true)
    throw new CliptError(
      "unsupported",
      `A tokenizer of type ${String(model.type)} is not a SentencePiece unigram model without byte fallback.`,
    );
  if (model.unk_id == null || model.unk_id >= model.vocab.length)
    throw new CliptError("format", "tokenizer.json, model.unk_id: the number of a piece was expected.");
  const added = new Map(
    added_tokens.map(({ id, special }) => [id, special === false ? "user" : "control"] as const),
  );
  const typeOf = (id: number): PieceType => (id === model.unk_id ? "unknown" : (added.get(id) ?? "normal"));
  const pieces = model.vocab.map(([piece, score], id): Piece => ({
    piece,
    score: Math.fround(score),
    type: typeOf(id),
  }));
  const idOf = (...names: string[]): number => pieces.findIndex(({ piece }) => names.includes(piece));
  return {
    pieces,
    unknown: model.unk_id,
    start: idOf("<s>", "<bos>"),
    end: idOf("</s>", "<eos>"),
    pad: idOf("<pad>"),
    normalizer: {
      charsmap: findCharsmap(json.normalizer),
      addDummyPrefix: true,
      removeExtraWhitespaces: true,
      escapeWhitespaces: true,
    },
  };
}
