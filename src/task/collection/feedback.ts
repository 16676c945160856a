import type { Collection } from "./collection.js";
import { sum } from "./combine.js";
import type { Term } from "./term.js";

/** Pictures that somebody marked as what was meant, and as what was not. */
export interface Marks {
  readonly like?: readonly string[] | undefined;
  readonly dislike?: readonly string[] | undefined;
}

/** How much marks count beside texts, which say what is meant, and beside pictures, which say many things at once. */
const besideTexts = 1;
const besidePictures = 2;

/**
 * Rocchio's rule: the query moves towards the middle of what was marked with yes, and away from the middle of the others.
 * Measured beside logistic regression, which was no better: docs/the-index.md. Marks of pictures that are gone are ignored.
 */
export async function feedbackTerms(
  { store, identity }: Collection,
  { like = [], dislike = [] }: Marks,
  terms: readonly Term[],
): Promise<Term[]> {
  const size = terms.some(({ kind }) => kind === "text") ? besideTexts : besidePictures;
  const result: Term[] = [];
  for (const [ids, weight] of [
    [like, size],
    [dislike, -size],
  ] as const) {
    if (ids.length === 0) continue;
    const items = await store.get([...new Set(ids)], identity);
    const vectors = items.flatMap((item) => item?.vectors?.[identity] ?? []);
    if (vectors.length === 0) continue;
    const vector = sum(
      vectors,
      vectors.map(() => 1),
    );
    result.push({ vector, weight, kind: "picture" });
  }
  return result;
}
