import { CliptError } from "../../tensor/index.js";
import {
  anyLabelFeatures,
  hitFeatures,
  pairFeatures,
  presenceFeatures,
  type Evidence,
  type QueryTraits,
} from "./features.js";
import type { Place } from "./explained.js";
import { logit, logitOf, sigmoid, type Logistic } from "./logistic.js";
import { shares, sorts, type Sort } from "./sorts.js";

/** From scores to probabilities, for the vectors of one model. `calibration.json` holds one. */
export interface Calibration {
  readonly version: 4;
  /** Of the model that it was fitted to. */
  readonly identity: string;
  /** SHA-256 of the reference texts that it counts on. */
  readonly reference: string;
  /** For each sort of query. */
  readonly sorts: Readonly<Record<Sort, Heads>>;
  /** That any label of a list is seen in a picture. */
  readonly label: Logistic;
  /** What the marks of a collection's user changed. */
  readonly adapted?: { readonly present: Change; readonly hit: Change; readonly marks: number };
}

/** What is fitted for one sort of query. */
export interface Heads {
  /** That anything in a collection matches. */
  readonly present: Logistic;
  /** That one of the nearest pictures matches. */
  readonly hit: Logistic;
  /** That a picture and a text match, when half of all pairs do. */
  readonly pair: Logistic;
}

/** A change of a sum before the sigmoid: z → factor · z + shift. */
export interface Change {
  readonly factor: number;
  readonly shift: number;
}

const change = (z: number, by: Change | undefined): number =>
  by === undefined ? z : by.factor * z + by.shift;

export type Verdict = "matches" | "unsure" | "nothing";

/** Below the first, nothing matches; from the second, something does. docs/calibration.md says how often each is wrong. */
const [nothing, matches] = [0.25, 0.6];

export const verdictOf = (present: number): Verdict =>
  present < nothing ? "nothing" : present < matches ? "unsure" : "matches";

export const presence = (calibration: Calibration, evidence: Evidence): number =>
  sigmoid(change(presenceLogit(calibration, evidence), calibration.adapted?.present));

/** The sum before the sigmoid, as the model's own calibration has it: marks are held against it. */
export function presenceLogit({ sorts: heads }: Calibration, evidence: Evidence): number {
  const features = presenceFeatures(evidence);
  return blend(evidence.traits, (sort) => logitOf(heads[sort].present, features));
}

/** That a picture matches. @param hits the pictures that are judged; by default the nearest themselves */
export const hitProbabilities = (
  calibration: Calibration,
  nearest: Evidence,
  hits: Pick<Evidence, "cosines" | "margins"> = nearest,
): Float64Array =>
  hitLogits(calibration, nearest, hits).map((z) => sigmoid(change(z, calibration.adapted?.hit)));

/** The sums before the sigmoid, as the model's own calibration has them. */
export function hitLogits(
  calibration: Calibration,
  nearest: Evidence,
  hits: Pick<Evidence, "cosines" | "margins"> = nearest,
): Float64Array {
  const anything = presenceLogit(calibration, nearest);
  return Float64Array.from(hits.cosines, (cosine, i) => {
    const features = hitFeatures(nearest, cosine, hits.margins[i]!, anything);
    return blend(nearest.traits, (sort) => logitOf(calibration.sorts[sort].hit, features));
  });
}

/** @param prior share of pairs that match where nothing is known of them */
export function pairProbability(
  { sorts: heads }: Calibration,
  traits: QueryTraits,
  cosine: number,
  margin: number,
  prior = 0.5,
): number {
  const features = pairFeatures(cosine, margin, traits.place);
  return sigmoid(blend(traits, (sort) => logitOf(heads[sort].pair, features)) + logit(prior));
}

function blend(traits: QueryTraits, logitFor: (sort: Sort) => number): number {
  const parts = shares(traits);
  return sorts.reduce((sum, sort) => (parts[sort] === 0 ? sum : sum + parts[sort] * logitFor(sort)), 0);
}

/** That none of the labels of a list is seen in a picture, from the picture's scores with each. */
export const noneProbability = (
  { label }: Calibration,
  cosines: ArrayLike<number>,
  margins: ArrayLike<number>,
): number => sigmoid(-logitOf(label, anyLabelFeatures(cosines, margins)));

/**
 * That each label is seen in a picture, whatever the others: where nothing is known, each is as likely as none of them. Labels say
 * what a picture is of: they are judged as names, also "dog".
 */
export const labelProbabilities = (
  { sorts: { name } }: Calibration,
  cosines: ArrayLike<number>,
  margins: ArrayLike<number>,
  places: readonly Place[],
): Float64Array =>
  Float64Array.from(cosines, (cosine, i) =>
    sigmoid(logitOf(name.pair, pairFeatures(cosine, margins[i]!, places[i]!)) - Math.log(cosines.length)),
  );

const place: Place = { nearest: 0, mean: 0 };
const traits: QueryTraits = { words: 1, everyday: 0, place, agreeing: 0 };
const nearest: Evidence = { cosines: [0], margins: [0], size: 1, traits };
const counts = {
  present: presenceFeatures(nearest).length,
  hit: hitFeatures(nearest, 0, 0, 0).length,
  pair: pairFeatures(0, 0, place).length,
} as const;
const labelCount = anyLabelFeatures([0], [0]).length;

const version = 4;

export const isCurrent = (value: unknown): boolean =>
  (value as Partial<Calibration> | null | undefined)?.version === version;

/** @throws `format` for anything else than a calibration of this version */
export function parseCalibration(value: unknown, where: string): Calibration {
  const found = value as Partial<Record<keyof Calibration, unknown>> | null;
  if (typeof found !== "object" || found === null || !isCurrent(found))
    throw new CliptError(
      "format",
      `${where} holds no calibration of version ${version}. Fit one with \`clipt calibrate\`.`,
    );
  if (typeof found.identity !== "string" || typeof found.reference !== "string")
    throw new CliptError("format", `${where} does not say which model it is for.`);
  const heads = found.sorts as Partial<Record<Sort, Partial<Record<keyof Heads, unknown>>>> | undefined;
  for (const sort of sorts)
    for (const [name, count] of Object.entries(counts))
      checkHead(heads?.[sort]?.[name as keyof Heads], count, `${where}: "${name}" of "${sort}"`);
  checkHead(found.label, labelCount, `${where}: "label"`);
  return value as Calibration;
}

function checkHead(value: unknown, count: number, what: string): void {
  const head = value as Partial<Logistic> | undefined;
  const numbers = [head?.bias, ...(Array.isArray(head?.weights) ? (head.weights as unknown[]) : [])];
  if (numbers.length !== count + 1 || !numbers.every(Number.isFinite))
    throw new CliptError("format", `${what} should have a bias and ${count} weights.`);
}
