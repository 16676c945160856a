/** How a family of models turns similarities into scores: softmax compares labels, sigmoid judges each alone. */
export type ScoreKind = "softmax" | "sigmoid";

/** Numbers of the model that go with its cosines: logit = scale · cosine + bias. */
export interface LogitScale {
  /** Already exponentiated. */
  readonly scale: number;
  readonly bias: number;
}

/** Probabilities of labels for one picture, from its cosines with them. */
export function probabilities(
  cosines: ArrayLike<number>,
  { scale, bias }: LogitScale,
  kind: ScoreKind,
): Float64Array {
  return toProbabilities[kind](Float64Array.from(cosines, (cosine) => scale * cosine + bias));
}

const toProbabilities: Readonly<Record<ScoreKind, (logits: Float64Array) => Float64Array>> = {
  softmax(logits) {
    // Counted from the largest, no exponential overflows.
    const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
    const powers = logits.map((logit) => Math.exp(logit - largest));
    const total = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / total);
  },
  sigmoid: (logits) => logits.map((logit) => 1 / (1 + Math.exp(-logit))),
};

export interface Scored {
  readonly label: string;
  readonly score: number;
}

/** Labels with their scores, best first; equal scores keep the order of the labels. */
export function rankLabels(labels: readonly string[], scores: ArrayLike<number>): Scored[] {
  return labels.map((label, i) => ({ label, score: scores[i] ?? 0 })).sort((a, b) => b.score - a.score);
}
