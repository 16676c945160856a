import type { Store } from "./store.js";

/** `queryMany` of an engine that has no pass for several vectors. */
export const oneByOne =
  (query: Store["query"]): Store["queryMany"] =>
  (vectors, options) =>
    Promise.all(vectors.map((vector) => query({ ...options, vector })));
