import { concat, exp, input, matmul, mul, reshape, swap, type Value } from "../graph/index.js";
import { logits, normalize, type ClipWeights } from "../model/index.js";
import { contrastiveLoss, labelLoss, positives, sigmoidLoss, softTargetLoss } from "./losses/index.js";

/**
 * What a batch consists of, by the part that its rows take in the loss. The image tower sees pairs and labelled
 * pictures in one go, the text tower captions, class names and the teacher's class names.
 */
export interface Roles<T> {
  /** Pictures with a caption. */
  readonly pairs: T;
  /** Pictures with a class. */
  readonly labelled: T;
  /** Texts of the pairs, and further ones that belong to no picture. */
  readonly captions: T;
  /** One text for each class of the labelled pictures, in the order of the classes. */
  readonly classes: T;
  /** One text for each class that the teacher knows, in the order of its logits. */
  readonly taught: T;
}

export const pictureRoles = ["pairs", "labelled"] as const;
export const textRoles = ["captions", "classes", "taught"] as const;
export const roleNames = [...pictureRoles, ...textRoles] as const;
export type Role = (typeof roleNames)[number];

/** Terms of the loss and their weights. */
export interface Objective {
  /** CLIP's symmetric softmax, or SigLIP's sigmoid. */
  readonly contrastive: "softmax" | "sigmoid";
  /** Class names as a zero-shot classifier of the labelled pictures. */
  readonly labels?: { readonly weight: number; readonly smoothing: number } | undefined;
  /** Class names as a zero-shot classifier of all pictures, against a teacher's probabilities. */
  readonly distillation?: { readonly weight: number } | undefined;
}

/** Temperatures of further terms are trained beside the model's own and belong to the run, not to the model. */
export const objectiveScales = ({ labels, distillation }: Objective): string[] => [
  ...(labels === undefined ? [] : ["label_logit_scale"]),
  ...(distillation === undefined ? [] : ["distillation_logit_scale"]),
];

/**
 * The terms of the loss, each a scalar of shape [], weights applied.
 *
 * @param features rows that the towers gave, not normalised; a role without rows is absent
 */
export function objectiveTerms(
  objective: Objective,
  weights: ClipWeights<Value>,
  features: Partial<Roles<Value>>,
): Record<string, Value> {
  const unit = Object.fromEntries(
    Object.entries(features).map(([role, rows]) => [role, normalize(rows)]),
  ) as typeof features;
  const { pairs, labelled, captions, classes, taught } = unit;
  const terms: Record<string, Value> = {};
  const note = (name: string, weight: number, term: Value): void => {
    const scalar = reshape(term, []);
    terms[name] = weight === 1 ? scalar : mul(scalar, weight);
  };
  if (pairs !== undefined && captions !== undefined) {
    const scores = logits(weights, pairs, captions);
    const together = positives(
      input("batch.pictureGroups", [rowsOf(pairs)], "int64"),
      input("batch.textGroups", [rowsOf(captions)], "int64"),
    );
    const loss = objective.contrastive === "softmax" ? contrastiveLoss : sigmoidLoss;
    note("contrastive", 1, loss(scores, together));
  }
  if (objective.labels !== undefined && labelled !== undefined && classes !== undefined) {
    const { weight, smoothing } = objective.labels;
    const labels = input("batch.labels", [rowsOf(labelled)], "int64");
    const scores = classScores(input("label_logit_scale", []), labelled, classes);
    note("labels", weight, labelLoss(scores, labels, smoothing));
  }
  if (objective.distillation !== undefined && taught !== undefined) {
    const pictures = joined([pairs, labelled]);
    const teacher = input("batch.teacher", [rowsOf(pictures), rowsOf(taught)]);
    const scores = classScores(input("distillation_logit_scale", []), pictures, taught);
    note("distillation", objective.distillation.weight, softTargetLoss(scores, teacher));
  }
  return terms;
}

const classScores = (logScale: Value, pictures: Value, classes: Value): Value =>
  mul(matmul(pictures, swap(classes)), exp(logScale));

function joined(parts: readonly (Value | undefined)[]): Value {
  const present = parts.filter((part) => part !== undefined);
  return present.length === 1 ? present[0]! : concat(present, 0);
}

const rowsOf = (x: Value): number => x.shape[0] as number;
