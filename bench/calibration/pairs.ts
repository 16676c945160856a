import {
  drawPairs,
  logitOf,
  pairProbability,
  reliability,
  sigmoid,
  type Known,
} from "../../src/score/index.js";
import { random } from "../../src/tensor/index.js";
import { placesOf, short, type JudgeOf } from "./judge.js";

/** There are few words: each is asked with several pictures. */
const pairsOfWord = 8;

/** Does this picture match this text? Half of the pairs match; pictures of classes for classes, photographs for the others. */
export function pairTable(known: Known, judgeOf: JudgeOf): Record<string, unknown> {
  const { classed, photographs } = placesOf(known);
  const rows = new Map<string, { p: number[]; flat: number[]; t: boolean[] }>();
  for (const [q, query] of known.queries.entries()) {
    const { calibration, explain, flat } = judgeOf(query);
    const among = /^.. (names|sentences)$/.test(query.kind) ? classed : photographs;
    const times = query.kind.includes("word") ? pairsOfWord : 1;
    const repeated = Array.from({ length: times }, () => query);
    for (const pair of drawPairs(known.pictures, among, repeated, explain, random(["pair", q]))) {
      const row = rows.get(query.kind) ?? { p: [], flat: [], t: [] };
      rows.set(query.kind, row);
      row.p.push(pairProbability(calibration, query.traits, pair.cosine, pair.margin));
      if (flat !== undefined) row.flat.push(sigmoid(logitOf(flat.pair, [pair.searched])));
      row.t.push(pair.matches);
    }
  }
  return Object.fromEntries(
    Array.from(rows, ([kind, { p, flat, t }]) => [
      kind,
      { calibrated: short(reliability(p, t)), ...(flat.length > 0 && { flat: short(reliability(flat, t)) }) },
    ]),
  );
}
