import { CliptError, parseJson } from "../../tensor/index.js";

/** More than any vocabulary has: an id above would make a table of that length. */
export const mostTokens = 2 ** 24;

/** Tokens with their ids. */
export const isVocabulary = (value: unknown): value is Readonly<Record<string, number>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every(isId);

const isId = (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= mostTokens;

/** `vocab.json`. @throws `format` when it is anything else than tokens with their ids */
export function readVocabJson(text: string): Readonly<Record<string, number>> {
  const vocab = parseJson(text, "vocab.json");
  if (isVocabulary(vocab)) return vocab;
  throw new CliptError("format", "vocab.json: tokens with their ids were expected.");
}
