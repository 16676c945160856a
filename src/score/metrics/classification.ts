import type { Tensor } from "../../tensor/index.js";

/** CLIP_benchmark's keys. */
export interface ClassificationMetrics {
  readonly acc1: number;
  /** NaN below 5 classes. */
  readonly acc5: number;
  readonly mean_per_class_recall: number;
}

/** Counts hits batch by batch, so that no batch's scores need to be kept. */
export interface ClassificationCounter {
  /**
   * @param scores  [pictures, classes], row-major; only their order counts
   * @param targets class of each picture
   */
  add(scores: ArrayLike<number>, targets: readonly number[]): void;
  metrics(): ClassificationMetrics;
}

/**
 * Accuracies for pictures that have one class each; `mean_per_class_recall` is the mean over the classes that occur.
 *
 * @source CLIP_benchmark `zeroshot_classification.evaluate`
 */
export function classificationCounter(classes: number): ClassificationCounter {
  let [pictures, first, fifth] = [0, 0, 0];
  const seen = new Map<number, { pictures: number; hits: number }>();
  return {
    add(scores, targets) {
      for (const [i, target] of targets.entries()) {
        const place = placeOf(scores, i * classes, classes, target);
        const counts = seen.get(target) ?? { pictures: 0, hits: 0 };
        seen.set(target, counts);
        pictures++;
        counts.pictures++;
        if (place < 5) fifth++;
        if (place > 0) continue;
        first++;
        counts.hits++;
      }
    },
    metrics() {
      const recalls = [...seen.values()].map(({ pictures, hits }) => hits / pictures);
      return {
        acc1: first / pictures,
        acc5: classes < 5 ? NaN : fifth / pictures,
        mean_per_class_recall: recalls.reduce((a, b) => a + b, 0) / recalls.length,
      };
    },
  };
}

/** The same for scores that are at hand all at once. */
export function classificationMetrics(
  scores: ArrayLike<number>,
  targets: readonly number[],
  classes: number,
): ClassificationMetrics {
  const counter = classificationCounter(classes);
  counter.add(scores, targets);
  return counter.metrics();
}

/** How many classes come before this one; of equal scores the lower index comes first. */
function placeOf(scores: ArrayLike<number>, at: number, classes: number, target: number): number {
  const own = scores[at + target] ?? NaN;
  let place = 0;
  for (let c = 0; c < classes; c++) {
    const other = scores[at + c]!;
    if (other > own || (other === own && c < target)) place++;
  }
  return place;
}

/**
 * Mean over the classes of the average precision; a class without any positive counts as 0.
 *
 * @param scores  [pictures, classes], row-major
 * @param targets [pictures, classes], not 0 where the class applies
 * @source        CLIP_benchmark `average_precision_per_class`
 */
export function meanAveragePrecision(scores: ArrayLike<number>, targets: Tensor): number {
  const [pictures = 0, classes = 0] = targets.shape;
  let total = 0;
  for (let c = 0; c < classes; c++) {
    const order = Array.from({ length: pictures }, (_, i) => i);
    order.sort((a, b) => scores[b * classes + c]! - scores[a * classes + c]!);
    let [positives, precisions] = [0, 0];
    for (const [rank, picture] of order.entries())
      if (Number(targets.data[picture * classes + c]) !== 0) precisions += ++positives / (rank + 1);
    total += precisions / Math.max(positives, 1);
  }
  return total / classes;
}
