import type { Encoder } from "../../model/index.js";
import { rowsOf } from "../embeddings/embeddings.js";
import { encodeTexts } from "../encode-texts.js";
import type { Context } from "../task.js";
import type { Collection } from "./collection.js";
import { cosinesWith, dot, sampleOf } from "./combine.js";
import { words } from "./words.js";

type Language = "en" | "ru";

/** Results that are looked at. */
export const refinedResults = 60;
const most = 8;
/** A picture has the words that fit it best, so many of them. */
const wordsOfPicture = 4;
/** Of a word's mean cosine with the collection, this much is taken off: some words fit everything a little. */
const offMean = 0.5;
/** Of the results: fewer are a chance, and a word that nearly all have narrows nothing. */
const [fewest, nearlyAll] = [0.1, 0.8];
/** Cosine of texts that say nearly the same. */
const synonym = 0.7;

/**
 * Words that tell the results of a query apart: those that are in a part of them, and there more often than in the rest of
 * the collection. In Russian for a Russian query, in English otherwise.
 *
 * @param texts what the query says; words that say the same are left out
 * @param ids   the results, best first
 */
export async function refinementsOf(
  collection: Collection,
  texts: readonly string[],
  ids: readonly string[],
  context: Context,
): Promise<string[]> {
  const { store, encoder, identity } = collection;
  const language = texts.some((text) => /\p{Script=Cyrillic}/u.test(text)) ? "ru" : "en";
  const items = await store.get(ids.slice(0, refinedResults), identity);
  const found = items.flatMap((item) => item?.vectors?.[identity] ?? []);
  const sample = await sampleOf(collection);
  if (found.length === 0 || sample.length === 0) return [];

  const said = texts.length === 0 ? [] : rowsOf((await encodeTexts(texts, encoder, quiet(context))).features);
  const free = (await wordVectors(encoder, language, context))
    .filter(({ vector }) => said.every((text) => dot(text, vector) <= synonym))
    .map((word) => ({ ...word, off: offMean * cosinesWith(word.vector, sample).mean }));
  const [here, everywhere] = [shares(found, free), shares(sample, free)];
  const candidates = free
    .map((word, i) => {
      const share = here[i]!;
      return { ...word, share, gain: share * Math.log(share / Math.max(everywhere[i]!, 1 / sample.length)) };
    })
    .filter(({ share, gain }) => share >= fewest && share <= nearlyAll && gain > 0)
    .sort((a, b) => b.gain - a.gain);

  const chosen: { word: string; vector: Float32Array }[] = [];
  for (const candidate of candidates) {
    if (chosen.some(({ vector }) => dot(vector, candidate.vector) > synonym)) continue;
    if (texts.some((text) => text.toLowerCase().includes(candidate.word.toLowerCase()))) continue;
    chosen.push(candidate);
    if (chosen.length === most) break;
  }
  return chosen.map(({ word }) => word);
}

/** For each word, the share of pictures that it is among the best for. */
function shares(pictures: readonly Float32Array[], all: readonly (Word & { off: number })[]): number[] {
  const counts = all.map(() => 0);
  for (const picture of pictures) {
    const fits = all.map(({ vector, off }, i) => ({ i, fit: dot(vector, picture) - off }));
    fits.sort((a, b) => b.fit - a.fit);
    for (const { i } of fits.slice(0, wordsOfPicture)) counts[i]!++;
  }
  return counts.map((count) => count / pictures.length);
}

interface Word {
  readonly word: string;
  readonly vector: Float32Array;
}

const encoded = new WeakMap<Encoder, Map<Language, readonly Word[]>>();

async function wordVectors(encoder: Encoder, language: Language, context: Context): Promise<readonly Word[]> {
  const known = encoded.get(encoder)?.get(language);
  if (known !== undefined) return known;
  const texts = words.map((word) => word[language]);
  const rows = rowsOf((await encodeTexts(texts, encoder, quiet(context))).features);
  const vectors = texts.map((word, i) => ({ word, vector: rows[i]! }));
  encoded.set(encoder, new Map(encoded.get(encoder)).set(language, vectors));
  return vectors;
}

/** Nobody asked for these texts, so nobody is told how far they are. */
const quiet = (context: Context): Context => ({ ...context, emit: () => {} });
