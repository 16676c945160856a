import type { Fields } from "../../store/index.js";

interface Found {
  readonly id: string;
  readonly score: number;
  /** That it is what was meant, where that is known. */
  readonly probability?: number;
  readonly fields: Fields;
}

/**
 * What is relevant of the nearest pictures: what is more likely meant than not, where probabilities are known; otherwise what
 * lies nearer to the best than to the collection's middle. Measured: docs/the-index.md.
 *
 * @param hits   best first
 * @param middle mean score of the collection
 */
export function relevant<T extends Found>(hits: readonly T[], middle: number): T[] {
  if (hits.some(({ probability }) => probability !== undefined))
    return hits.filter(({ probability = 0 }) => probability >= 0.5);
  const [best] = hits;
  return best === undefined ? [] : hits.filter(({ score }) => score >= (best.score + middle) / 2);
}

/** By the date that the camera wrote, or else the file's; those without a date come last, equal ones go by id. */
export function byDate<T extends Found>(hits: readonly T[], order: "newest" | "oldest"): T[] {
  const turn = order === "newest" ? -1 : 1;
  return [...hits].sort((a, b) => {
    const [x, y] = [dateOf(a.fields), dateOf(b.fields)];
    if (x === undefined || y === undefined)
      return Number(x === undefined) - Number(y === undefined) || byId(a, b);
    return turn * (x - y) || byId(a, b);
  });
}

function dateOf({ taken, modified }: Fields): number | undefined {
  const date = taken ?? modified;
  return typeof date === "number" ? date : undefined;
}

const byId = (a: Found, b: Found): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
