import { signal } from "@preact/signals";
import { sendFeedback } from "../api/client.js";

export type Mark = "yes" | "no";
type Marks = ReadonlyMap<string, Mark>;

const none: Marks = new Map();

/** Results that were marked right or wrong, by query. */
const marked = signal<ReadonlyMap<string, Marks>>(new Map());

/** @param query as `queryKey` names it */
export const marksOf = (query: string): Marks => marked.value.get(query) ?? none;

export const idsMarked = (marks: Marks, as: Mark): string[] =>
  [...marks].filter(([, mark]) => mark === as).map(([id]) => id);

/**
 * Marks a result; the same mark again takes it back.
 *
 * @param text the query's when it is nothing but a text: the index learns from it
 */
export function markResult(query: string, text: string | undefined, id: string, mark: Mark): void {
  const marks = new Map(marksOf(query));
  if (marks.get(id) === mark) marks.delete(id);
  else {
    marks.set(id, mark);
    // The search goes by the marks even where the index cannot keep them.
    if (text !== undefined)
      sendFeedback(text, mark === "yes" ? [id] : [], mark === "no" ? [id] : []).catch(() => {});
  }
  marked.value = new Map(marked.value).set(query, marks);
}

export function clearMarks(query: string): void {
  marked.value = new Map(marked.value).set(query, none);
}
