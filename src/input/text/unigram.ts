import type { Piece } from "./sentencepiece-model.js";
import { Trie } from "./trie.js";

/** What an unknown character costs below the least probable piece. */
const unknownPenalty = 10;

/**
 * The most probable cut of a text into pieces, each as probable as its score says (Viterbi); of equals the one whose
 * last piece starts first. Neighbouring unknown characters become one unknown id.
 *
 * @param precision of the sums: SentencePiece adds in float32, Hugging Face's tokenizers in float64
 * @returns a function from normalised text to ids
 * @source google/sentencepiece `unigram_model.cc` `EncodeOptimized`; Kudo 2018
 */
export function unigram(
  pieces: readonly Piece[],
  unknown: number,
  precision: "single" | "double",
): (text: string) => number[] {
  const round = precision === "single" ? Math.fround : (x: number) => x;
  const normal = pieces.filter(({ type }) => type === "normal").map(({ score }) => score);
  const least = normal.reduce((a, b) => Math.min(a, b), Infinity);
  const most = normal.reduce((a, b) => Math.max(a, b), -Infinity);
  const unknownScore = round(least - unknownPenalty);
  const trie = new Trie(
    pieces.flatMap(({ piece, type }, id) =>
      type === "normal" || type === "user" ? [[piece, id] as const] : [],
    ),
  );
  // A user's own symbol is worth a little less than its bytes as the best pieces, so it always wins.
  const scores = pieces.map(({ piece, score, type }) =>
    type === "user" ? new TextEncoder().encode(piece).length * most - 0.1 : score,
  );

  return (text) => {
    const best = new Float64Array(text.length + 1).fill(-Infinity);
    const from = new Int32Array(text.length + 1);
    const piece = new Int32Array(text.length + 1);
    best[0] = 0;
    const offer = (start: number, end: number, id: number, score: number): void => {
      const total = round(best[start]! + score);
      if (total <= best[end]!) return;
      best[end] = total;
      from[end] = start;
      piece[end] = id;
    };
    for (let start = 0; start < text.length;) {
      const next = start + (text.codePointAt(start)! > 0xffff ? 2 : 1);
      let alone = false;
      let node = 0;
      for (let end = start + 1; end <= text.length; end++) {
        node = trie.step(node, text.charCodeAt(end - 1));
        if (node === 0) break;
        const id = trie.value(node);
        if (id === -1) continue;
        offer(start, end, id, scores[id]!);
        alone ||= end === next;
      }
      if (!alone) offer(start, next, unknown, unknownScore);
      start = next;
    }
    const result: number[] = [];
    for (let end = text.length; end > 0; end = from[end]!) {
      const id = piece[end]!;
      if (id !== unknown || result.at(-1) !== unknown) result.push(id);
    }
    return result.reverse();
  };
}
