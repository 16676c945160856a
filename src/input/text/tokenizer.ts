import type { Cleaning } from "./clean/clean.js";

/** How ids become a row of fixed length; published models differ in it. */
export interface Frame {
  /** First id of each row, where the model has one. */
  readonly start?: number | undefined;
  /** Last id before the padding. A row that is cut ends in it, too. */
  readonly end?: number | undefined;
  readonly pad: number;
  /** SigLIP reads its padding, so its rows are always as long as the context; causal towers do not care. */
  readonly padTo: "context" | "longest";
  /** Ids in a row, start and end included. */
  readonly context: number;
}

export interface Encoding {
  /** Start, text and end, without padding; at most `context`. */
  readonly ids: readonly number[];
  /** Number of ids before the cut; absent when nothing was cut. */
  readonly truncatedFrom?: number;
}

export interface TextBatch {
  /** Rows one after another, [texts, length]. */
  readonly ids: Int32Array;
  readonly shape: readonly [texts: number, length: number];
  /** Ids of each row without its padding. */
  readonly lengths: Int32Array;
  /** Which texts did not fit. */
  readonly truncated: readonly number[];
}

/** All that decides the ids of a text. Equal JSON means equal ids, so a model's identity takes it in. */
export interface TokenizerIdentity {
  readonly kind: string;
  readonly cleaning: Cleaning;
  readonly frame: Frame;
  /** SHA-256 of the vocabulary. */
  readonly vocabulary: string;
}

export interface BatchOptions {
  readonly context?: number;
  readonly padTo?: Frame["padTo"];
}

/** Text to ids and back. Takes any string, lone surrogates included, and never throws on one. */
export interface Tokenizer {
  readonly contextLength: number;
  readonly vocabSize: number;
  encode(text: string, context?: number): Encoding;
  batch(texts: readonly string[], options?: BatchOptions): TextBatch;
  /** The text of a row; start, end and padding are left out. */
  decode(ids: Iterable<number>): string;
  identity(): TokenizerIdentity;
}

/** What a kind of tokenizer supplies; `frameTokenizer` adds start, end, cut and padding. */
export interface TokenizerCore {
  readonly vocabSize: number;
  readonly frame: Frame;
  /** Ids of a text without start and end. */
  pieces(text: string): number[];
  join(ids: readonly number[]): string;
  identity(): TokenizerIdentity;
}

/** A row without its start, and without its end and what follows it. */
function unframe(ids: readonly number[], { start, end, pad }: Frame): readonly number[] {
  let length = ids.length;
  while (length > 0 && ids[length - 1] === pad && pad !== end) length--;
  while (length > 0 && ids[length - 1] === end) length--;
  // Padding without an end before it is text: CLIP pads with 0, which is also "!".
  if (end !== undefined && ids[length] !== end) length = ids.length;
  return ids.slice(start !== undefined && ids[0] === start ? 1 : 0, length);
}

/** Makes a tokenizer of the part that knows words. */
export function frameTokenizer(core: TokenizerCore): Tokenizer {
  const { frame } = core;
  const head = frame.start === undefined ? [] : [frame.start];
  const tail = frame.end === undefined ? [] : [frame.end];

  function encode(text: string, context = frame.context): Encoding {
    const ids = [...head, ...core.pieces(text), ...tail];
    if (ids.length <= context) return { ids };
    const truncatedFrom = ids.length;
    ids.length = context;
    if (frame.end !== undefined) ids[context - 1] = frame.end;
    return { ids, truncatedFrom };
  }

  return {
    contextLength: frame.context,
    vocabSize: core.vocabSize,
    encode,
    batch(texts, { context = frame.context, padTo = frame.padTo } = {}) {
      const rows = texts.map((text) => encode(text, context));
      const longest = rows.reduce((most, { ids }) => Math.max(most, ids.length), 0);
      const length = padTo === "context" ? context : longest;
      const ids = new Int32Array(rows.length * length).fill(frame.pad);
      rows.forEach((row, i) => ids.set(row.ids, i * length));
      return {
        ids,
        shape: [rows.length, length],
        lengths: Int32Array.from(rows, (row) => row.ids.length),
        truncated: rows.flatMap((row, i) => (row.truncatedFrom === undefined ? [] : [i])),
      };
    },
    decode: (ids) => core.join(unframe([...ids], frame)),
    identity: () => core.identity(),
  };
}
