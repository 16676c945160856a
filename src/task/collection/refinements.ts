import type { Encoder } from "../../model/index.js";
import { pairProbability, type Calibration } from "../../score/index.js";
import { evidenceOf, type QueryEvidence } from "../calibration/evidence.js";
import { judgeOf, type Judge } from "../calibration/judged-by.js";
import { readPictures } from "../calibration/kept-rows.js";
import { openCalibration } from "../calibration/open-calibration.js";
import { stackVectors } from "../embeddings/embeddings.js";
import type { Context } from "../task.js";
import type { Collection } from "./collection.js";
import { dot, sampleOf } from "./combine.js";
import { words } from "./words.js";

type Language = "en" | "ru";

/** Results that are looked at. */
export const refinedResults = 60;
const most = 8;
/** A word is in so many of the results: fewer are a chance, and one that nearly all have narrows nothing. */
const [fewest, nearlyAll] = [0.15, 0.85];
/** A picture has about so many of the words. */
const wordsOfPicture = 0.05;
/** Among the results a word is more frequent than in the collection by this factor. */
const moreThanElsewhere = 1.25;
/** Cosine of texts that say nearly the same. */
const synonym = 0.7;
/** Correlation of words that part the results in the same way. */
const sameParts = 0.8;

/**
 * Words that part the results of a query: those that the model is sure of in some of them, and sure to be absent in others. In
 * Russian for a Russian query, in English otherwise. None where the model is not calibrated.
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
  const calibration = await openCalibration(encoder.model);
  if (calibration === undefined) return [];
  const language = texts.some((text) => /\p{Script=Cyrillic}/u.test(text)) ? "ru" : "en";
  const items = await store.get(ids.slice(0, refinedResults), identity);
  const found = items.flatMap((item) => {
    const vector = item?.vectors?.[identity];
    return item === undefined || vector === undefined ? [] : [{ id: item.id, vector }];
  });
  if (found.length === 0) return [];
  const vectors = found.map(({ vector }) => vector);
  const judge = await judgeOf(encoder, context);
  const said = texts.length === 0 ? [] : await evidenceOf(texts, encoder, judge, context);
  const all = await wordsOf(encoder, language, judge, context);
  const read = readPictures(judge.explain, found);
  const sample = await sampleOf(collection);
  const readSample = judge.explain.read(stackVectors([...sample]));
  const likely = (word: QueryEvidence, vectors: readonly Float32Array[], rows: typeof read): number[] =>
    probabilities(word, vectors, rows, judge, calibration);
  const candidates = all
    .filter(({ vector }) => said.every((text) => dot(text.vector, vector) <= synonym))
    .filter(({ word }) => !texts.some((text) => text.toLowerCase().includes(word.toLowerCase())))
    .map((word) => {
      const seen = likely(word, vectors, read);
      return { ...word, seen, share: shareOf(seen), parts: parting(seen) };
    })
    .filter(({ share }) => share >= fewest && share <= nearlyAll)
    .filter((word) => word.share > moreThanElsewhere * shareOf(likely(word, sample, readSample)))
    .sort((a, b) => b.parts - a.parts);

  const chosen: typeof candidates = [];
  for (const candidate of candidates) {
    const repeats = chosen.some(
      ({ vector, seen }) =>
        dot(vector, candidate.vector) > synonym || correlation(seen, candidate.seen) > sameParts,
    );
    if (repeats) continue;
    chosen.push(candidate);
    if (chosen.length === most) break;
  }
  return chosen.map(({ word }) => word);
}

/** That each picture shows the word. */
function probabilities(
  { vector, weights, traits }: QueryEvidence,
  pictures: readonly Float32Array[],
  read: ReturnType<typeof readPictures>,
  { explain }: Judge,
  calibration: Calibration,
): number[] {
  const cosines = pictures.map((picture) => dot(vector, picture));
  const margins = explain.margins(weights, cosines, read);
  return cosines.map((cosine, i) =>
    pairProbability(calibration, traits, cosine, margins[i]!, wordsOfPicture),
  );
}

/** Of pictures that rather show a word than not. */
const shareOf = (seen: readonly number[]): number => seen.filter((p) => p >= 0.5).length / seen.length;

/** How surely a word parts pictures, bits: what a guess would be unsure of, less what the probabilities are unsure of. */
export const parting = (seen: readonly number[]): number => entropy(mean(seen)) - mean(seen.map(entropy));

const entropy = (p: number): number =>
  p <= 0 || p >= 1 ? 0 : -p * Math.log2(p) - (1 - p) * Math.log2(1 - p);

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function correlation(a: readonly number[], b: readonly number[]): number {
  const [ma, mb] = [mean(a), mean(b)];
  const product = (x: readonly number[], mx: number, y: readonly number[], my: number): number =>
    x.reduce((sum, value, i) => sum + (value - mx) * (y[i]! - my), 0);
  return product(a, ma, b, mb) / Math.sqrt(product(a, ma, a, ma) * product(b, mb, b, mb) || 1);
}

interface Word extends QueryEvidence {
  readonly word: string;
}

const known = new WeakMap<Encoder, Map<Language, readonly Word[]>>();

async function wordsOf(
  encoder: Encoder,
  language: Language,
  judge: Judge,
  context: Context,
): Promise<readonly Word[]> {
  const before = known.get(encoder)?.get(language);
  if (before !== undefined) return before;
  const texts = words.map((word) => word[language]);
  const read = await evidenceOf(texts, encoder, judge, context);
  const own = texts.map((word, i) => ({ word, ...read[i]! }));
  known.set(encoder, new Map(known.get(encoder)).set(language, own));
  return own;
}
