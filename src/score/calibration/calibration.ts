import { CliptError } from "../../tensor/index.js";
import { anyLabelFeatures, hitFeatures, pairFeatures, presenceFeatures, type Evidence } from "./features.js";
import { logit, logitOf, sigmoid, type Logistic } from "./logistic.js";

/** From scores to probabilities, for the vectors of one model. `calibration.json` holds one. */
export interface Calibration {
  readonly version: 1;
  /** Of the model that it was fitted to. */
  readonly identity: string;
  /** SHA-256 of the reference texts that it counts on. */
  readonly reference: string;
  /** That anything in a collection matches. */
  readonly present: Logistic;
  /** That one of the nearest pictures matches. */
  readonly hit: Logistic;
  /** That a picture and a text match, when half of all pairs do. */
  readonly pair: Logistic;
  /** That any label of a list is seen in a picture. */
  readonly label: Logistic;
  /** What the marks of a collection's user changed. */
  readonly adapted?: { readonly present: Change; readonly hit: Change; readonly marks: number };
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
export const presenceLogit = ({ present }: Calibration, evidence: Evidence): number =>
  logitOf(present, presenceFeatures(evidence));

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
  return Float64Array.from(hits.cosines, (cosine, i) =>
    logitOf(calibration.hit, hitFeatures(nearest, cosine, hits.margins[i]!, anything)),
  );
}

/** @param prior share of pairs that match where nothing is known of them */
export const pairProbability = ({ pair }: Calibration, cosine: number, margin: number, prior = 0.5): number =>
  sigmoid(logitOf(pair, pairFeatures(cosine, margin)) + logit(prior));

/** That none of the labels of a list is seen in a picture, from the picture's scores with each. */
export const noneProbability = (
  { label }: Calibration,
  cosines: ArrayLike<number>,
  margins: ArrayLike<number>,
): number => sigmoid(-logitOf(label, anyLabelFeatures(cosines, margins)));

/** That each label is seen in a picture, whatever the others: where nothing is known, each is as likely as none of them. */
export const labelProbabilities = (
  calibration: Calibration,
  cosines: ArrayLike<number>,
  margins: ArrayLike<number>,
): Float64Array =>
  Float64Array.from(cosines, (cosine, i) =>
    pairProbability(calibration, cosine, margins[i]!, 1 / (cosines.length + 1)),
  );

const heads = {
  present: presenceFeatures({ cosines: [], margins: [], size: 1, words: 1 }).length,
  hit: hitFeatures({ cosines: [0], margins: [0], size: 1, words: 1 }, 0, 0, 0).length,
  pair: pairFeatures(0, 0).length,
  label: anyLabelFeatures([0], [0]).length,
} as const;

/** @throws `format` for anything else than a calibration of this version */
export function parseCalibration(value: unknown, where: string): Calibration {
  const found = value as Partial<Record<keyof Calibration, unknown>> | null;
  if (typeof found !== "object" || found === null || found.version !== 1)
    throw new CliptError(
      "format",
      `${where} holds no calibration of version 1. Fit one with \`clipt calibrate\`.`,
    );
  if (typeof found.identity !== "string" || typeof found.reference !== "string")
    throw new CliptError("format", `${where} does not say which model it is for.`);
  for (const [name, count] of Object.entries(heads)) {
    const head = found[name as keyof typeof heads] as Partial<Logistic> | undefined;
    const numbers = [head?.bias, ...(Array.isArray(head?.weights) ? (head.weights as unknown[]) : [])];
    if (numbers.length !== count + 1 || !numbers.every(Number.isFinite))
      throw new CliptError("format", `${where}: "${name}" should have a bias and ${count} weights.`);
  }
  return value as Calibration;
}
