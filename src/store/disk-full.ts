/** What is said when there is no room for a write: nothing of it was stored, and nothing else was lost. */
export const diskFull = (url: string): string =>
  `The disk of the index ${url} is full. What was written before is kept: make room, then run the same again.`;
