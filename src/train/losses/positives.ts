import { cast, div, equal, max, reshape, sum, type Value } from "../../graph/index.js";

/**
 * Which picture belongs to which text: 1 where the group numbers agree, 0 elsewhere. Captions of one picture, equal
 * texts and members of one class share a number, and so are never each other's negatives.
 *
 * @param pictures [n] int64
 * @param texts    [m] int64
 * @returns        [n, m] float32
 */
export const positives = (pictures: Value, texts: Value): Value =>
  cast(equal(reshape(pictures, [-1, 1]), reshape(texts, [1, -1])), "float32");

/** Shares of 1 among the positives of each row (axis 1) or column (axis 0); all 0 where there are none. */
export const sharesOf = (matrix: Value, axis: number): Value => div(matrix, max(sum(matrix, axis), 1));
