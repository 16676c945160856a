import type { QueryTraits } from "./features.js";

/**
 * Queries are of three sorts, which score differently: names of particular things, everyday words for many things, and
 * sentences. Each has its own fit.
 */
export const sorts = ["name", "word", "sentence"] as const;
export type Sort = (typeof sorts)[number];

/** Texts of as many words describe a scene. */
const sentenceWords = 4;

/** How much a query is of each sort; together 1. */
export function shares({ words, everyday }: QueryTraits): Readonly<Record<Sort, number>> {
  const sentence = words >= sentenceWords ? 1 : 0;
  const word = (1 - sentence) * everyday;
  return { name: 1 - sentence - word, word, sentence };
}
