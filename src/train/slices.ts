import { concat, split, type Value } from "../graph/index.js";
import type { Forward } from "./tower.js";

/** Rows of tokens whose values stay in the cache from one layer to the next: measured, see docs/benchmarks.md. */
const rowsAtOnce = 1024;
/** Each slice reads all weights and adds a gradient of all. */
const mostSlices = 8;

/**
 * A tower that computes slices of its batch one after another. What it gives and every gradient are the same but for the
 * order of sums; values between two layers are smaller, and do not leave the cache.
 *
 * @param tokens rows that the tower's layers compute for one input; undefined for towers that cannot be cut
 */
export const inSlices =
  (forward: Forward, tokens: (x: Value) => number | undefined): Forward =>
  (x, context) => {
    const [batch, rows] = [x.shape[0], tokens(x)];
    // Statistics and a tap are of the whole batch; packed texts are one row of tokens.
    const whole =
      context.statistics !== undefined || context.tap !== undefined || context.packing !== undefined;
    if (whole || rows === undefined || typeof batch !== "number") return forward(x, context);
    const count = Math.min(mostSlices, batch, Math.ceil((batch * rows) / rowsAtOnce));
    if (count < 2) return forward(x, context);
    const begin = (slice: number): number => Math.round((slice * batch) / count);
    const sizes = Array.from({ length: count }, (_, i) => begin(i + 1) - begin(i));
    return concat(
      split(x, 0, sizes).map((part) => forward(part, context)),
      0,
    );
  };
