/** How good probabilities are: what was said, beside what was true. */
export interface Reliability {
  readonly count: number;
  /** Expected calibration error: gap between said and true, in bins of equal width, weighted by their size. */
  readonly ece: number;
  /** Mean squared gap between the probability and 0 or 1. */
  readonly brier: number;
  /** Mean negative logarithm of the probability of what was true. */
  readonly logLoss: number;
  /** Chance that a true one is above a false one; NaN without either. */
  readonly auc: number;
  /** Share of true ones below the limit that 5 % of the false ones exceed. */
  readonly missesAt5: number;
}

/** Probabilities of 0 and 1 count as this far from them, so that one sure error does not weigh infinitely. */
const surest = 1e-7;

/** @throws `RangeError` when there is not one truth for each probability */
export function reliability(
  probabilities: ArrayLike<number>,
  truths: ArrayLike<boolean>,
  bins = 15,
): Reliability {
  const count = probabilities.length;
  if (truths.length !== count) throw new RangeError(`${count} probabilities and ${truths.length} truths`);
  let [squares, logs] = [0, 0];
  for (let i = 0; i < count; i++) {
    const p = probabilities[i]!;
    squares += (p - Number(truths[i])) ** 2;
    logs -= Math.log(Math.max(surest, truths[i]! ? p : 1 - p));
  }
  return {
    count,
    ece: calibrationError(probabilities, truths, bins),
    brier: squares / count,
    logLoss: logs / count,
    auc: areaUnderCurve(probabilities, truths),
    missesAt5: missesAt(probabilities, truths, 0.05),
  };
}

/** @source Guo et al., "On Calibration of Modern Neural Networks", 2017, equation 3, for two outcomes */
export function calibrationError(
  probabilities: ArrayLike<number>,
  truths: ArrayLike<boolean>,
  bins: number,
): number {
  const [said, held] = [new Float64Array(bins), new Float64Array(bins)];
  for (let i = 0; i < probabilities.length; i++) {
    const bin = Math.min(bins - 1, Math.floor(probabilities[i]! * bins));
    said[bin]! += probabilities[i]!;
    held[bin]! += Number(truths[i]);
  }
  return said.reduce((sum, p, bin) => sum + Math.abs(p - held[bin]!), 0) / probabilities.length;
}

/** Mann–Whitney's statistic: ties count half. */
export function areaUnderCurve(scores: ArrayLike<number>, truths: ArrayLike<boolean>): number {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  let [ranks, positives] = [0, 0];
  for (let start = 0, end = 0; start < order.length; start = end) {
    while (end < order.length && scores[order[end]!] === scores[order[start]!]) end++;
    for (let i = start; i < end; i++)
      if (truths[order[i]!]!) {
        positives++;
        ranks += (start + end + 1) / 2;
      }
  }
  const negatives = order.length - positives;
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Share of true ones that do not exceed the limit above which `alarms` of the false ones are. */
export function missesAt(scores: ArrayLike<number>, truths: ArrayLike<boolean>, alarms: number): number {
  const falses = Array.from(scores).filter((_, i) => !truths[i]!);
  falses.sort((a, b) => b - a);
  const limit = falses[Math.floor(alarms * falses.length)] ?? -Infinity;
  const trues = Array.from(scores).filter((_, i) => truths[i]!);
  return trues.filter((score) => score <= limit).length / trues.length;
}
