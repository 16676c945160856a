import { CliptError, sameShape, showShape } from "../tensor/index.js";
import { rewrite } from "./rewrite.js";
import type { Value } from "./value.js";

/**
 * The same computation with some of its values replaced: what a result would be if `from` were `to`.
 * Nodes that do not depend on a replaced value are shared, not copied.
 *
 * @param replaced values by their replacements, of equal type
 * @returns        for every value on the way, and every result, what it became
 * @throws         `shape` when a replacement is of another type
 */
export function substitute(
  results: readonly Value[],
  replaced: ReadonlyMap<Value, Value>,
): (value: Value) => Value {
  for (const [from, to] of replaced)
    if (from.dtype !== to.dtype || !sameShape(from.shape, to.shape))
      throw new CliptError(
        "shape",
        `${to.dtype}${showShape(to.shape)} cannot stand for ${from.dtype}${showShape(from.shape)}.`,
      );
  const became = rewrite(results, ({ outputs }) =>
    outputs.some((value) => replaced.has(value))
      ? outputs.map((value) => replaced.get(value) ?? value)
      : undefined,
  );
  return (value) => replaced.get(value) ?? became(value);
}
