import { add, div, mean, mul, reshape, sqrt, sub, type Value } from "../../graph/index.js";
import { CliptError, product, showShape } from "../../tensor/index.js";
import type { Context } from "../context.js";
import { onesSpec, zerosSpec, type Spec } from "../spec.js";

/** [channels] each. */
export interface BatchNorm<T> {
  readonly weight: T;
  readonly bias: T;
  readonly running_mean: T;
  readonly running_var: T;
}

export const batchNormSpec = (channels: number, weight: Spec = onesSpec(channels)): BatchNorm<Spec> => ({
  weight,
  bias: zerosSpec(channels),
  running_mean: { ...zerosSpec(channels), buffer: true },
  running_var: { ...onesSpec(channels), buffer: true },
});

/** Share of the newest batch in the running statistics: torch's default. */
const momentum = 0.1;

/**
 * Normalises each channel: by the running statistics, or by the batch's own where the context asks for new ones.
 *
 * @param x    [batch, channels, height, width] → same
 * @param path the weights' dotted path, under which new running statistics are noted
 */
export function batchNorm(w: BatchNorm<Value>, x: Value, eps: number, path: string, context: Context): Value {
  const { statistics } = context;
  if (statistics === undefined) {
    // Of weights alone: they are folded into the convolution before.
    const { factor, term } = affine(w, eps);
    return add(mul(x, perChannel(factor)), perChannel(term));
  }
  const axes = [0, 2, 3];
  const center = mean(x, axes);
  const apart = sub(x, center);
  const variance = mean(mul(apart, apart), axes);
  const count = product(axes.map((axis) => x.shape[axis]!));
  if (typeof count === "string" || count < 2)
    throw new CliptError(
      "shape",
      `Batch statistics of ${showShape(x.shape)}: a fixed batch of several values per channel is needed.`,
    );
  // The batch is normalised by its own variance, and estimates that of all pictures: n − 1.
  const estimate = mul(variance, count / (count - 1));
  statistics.set(`${path}.running_mean`, moved(w.running_mean, center));
  statistics.set(`${path}.running_var`, moved(w.running_var, estimate));
  const unit = div(apart, sqrt(add(variance, eps)));
  return add(mul(unit, perChannel(w.weight)), perChannel(w.bias));
}

/** What the running statistics make of a channel: x · factor + term, [channels] each. */
export function affine(w: BatchNorm<Value>, eps: number): { factor: Value; term: Value } {
  const factor = div(w.weight, sqrt(add(w.running_var, eps)));
  return { factor, term: sub(w.bias, mul(w.running_mean, factor)) };
}

const moved = (running: Value, batch: Value): Value =>
  add(mul(running, 1 - momentum), mul(reshape(batch, running.shape), momentum));

/** [channels] against [batch, channels, height, width]. */
const perChannel = (x: Value): Value => reshape(x, [x.shape[0]!, 1, 1]);
