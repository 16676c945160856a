/**
 * Moves an average of the weights towards the weights, in place. The first updates are a plain mean, so that the
 * start of the run does not linger: the decay used is min(decay, n / (n + 1)).
 *
 * @param updates updates made before this one
 */
export function updateAverage(
  average: Float32Array,
  weights: Float32Array,
  decay: number,
  updates: number,
): void {
  const part = 1 - Math.min(decay, updates / (updates + 1));
  for (let i = 0; i < average.length; i++) average[i]! += part * (weights[i]! - average[i]!);
}
