/** A stretch of the flat vectors that is updated with one rate. */
export interface Stretch {
  readonly begin: number;
  readonly end: number;
  /** Multiplies the learning rate; 0 leaves the stretch alone. */
  readonly rate: number;
  /** Weight decay. */
  readonly decay: number;
}

/** Flat vectors of one length. The weights' tensors are views into `weights`, the gradients' into `gradients`. */
export interface AdamWState {
  readonly weights: Float32Array;
  readonly gradients: Float32Array;
  /** Running mean of the gradient, "exp_avg". */
  readonly mean: Float32Array;
  /** Running mean of its square, "exp_avg_sq". */
  readonly square: Float32Array;
}

export interface AdamWStep {
  /** Counted from 1. */
  readonly step: number;
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** Multiplies every gradient: where clipping by the norm costs no pass of its own. */
  readonly gradientScale: number;
}

/**
 * One update, in place: decay first, then the step with bias correction, eps outside of the root.
 * Beside the graph because it is faster there (ARCHITECTURE.md, decisions) and leaves one copy of weights and moments.
 *
 * @source Loshchilov & Hutter 2019; torch.optim.AdamW
 */
export function adamw(state: AdamWState, stretches: readonly Stretch[], options: AdamWStep): void {
  const { step, learningRate, beta1, beta2 } = options;
  const correction1 = 1 - beta1 ** step;
  const rootOfCorrection2 = Math.sqrt(1 - beta2 ** step);
  for (const { begin, end, rate, decay } of stretches) {
    if (rate === 0) continue;
    const shrink = 1 - learningRate * rate * decay;
    update(state, begin, end, shrink, (learningRate * rate) / correction1, rootOfCorrection2, options);
  }
}

// One plain loop over typed arrays: the form that the engine compiles best.
function update(
  { weights, gradients, mean, square }: AdamWState,
  begin: number,
  end: number,
  shrink: number,
  stepSize: number,
  rootOfCorrection2: number,
  { beta1, beta2, eps, gradientScale }: AdamWStep,
): void {
  const part1 = 1 - beta1;
  const part2 = 1 - beta2;
  const inverseRoot = 1 / rootOfCorrection2;
  for (let i = begin; i < end; i++) {
    const g = gradients[i]! * gradientScale;
    const m = beta1 * mean[i]! + part1 * g;
    const v = beta2 * square[i]! + part2 * g * g;
    mean[i] = m;
    square[i] = v;
    weights[i] = weights[i]! * shrink - (stepSize * m) / (Math.sqrt(v) * inverseRoot + eps);
  }
}

/** Length of the gradient vector over the stretches that are trained (L2). */
export function gradientNorm(gradients: Float32Array, stretches: readonly Stretch[]): number {
  let total = 0;
  for (const { begin, end, rate } of stretches) if (rate !== 0) total += sumOfSquares(gradients, begin, end);
  return Math.sqrt(total);
}

function sumOfSquares(values: Float32Array, begin: number, end: number): number {
  let sum = 0;
  for (let i = begin; i < end; i++) sum += values[i]! * values[i]!;
  return sum;
}

/** What a gradient of this norm is multiplied with so that its norm is at most `limit`. Source: torch.nn.utils.clip_grad_norm_. */
export const clipScale = (norm: number, limit: number | undefined): number =>
  limit === undefined ? 1 : Math.min(1, limit / (norm + 1e-6));
