import { signal } from "@preact/signals";

export type Mark = "yes" | "no";
type Marks = ReadonlyMap<string, Mark>;

const none: Marks = new Map();

/** Results that were marked right or wrong, by query. */
const marked = signal<ReadonlyMap<string, Marks>>(new Map());

/** @param query as `queryKey` names it */
export const marksOf = (query: string): Marks => marked.value.get(query) ?? none;

export const idsMarked = (marks: Marks, as: Mark): string[] =>
  [...marks].filter(([, mark]) => mark === as).map(([id]) => id);

/** Marks a result; the same mark again takes it back. */
export function markResult(query: string, id: string, mark: Mark): void {
  const marks = new Map(marksOf(query));
  if (marks.get(id) === mark) marks.delete(id);
  else marks.set(id, mark);
  marked.value = new Map(marked.value).set(query, marks);
}

export function clearMarks(query: string): void {
  marked.value = new Map(marked.value).set(query, none);
}
