import { CliptError, sameShape, showShape } from "../tensor/index.js";
import { topological, type Node, type Value } from "./value.js";

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
  const became = new Map(replaced);
  for (const node of topological(results)) {
    if (node.outputs.some((value) => replaced.has(value)) || !node.inputs.some((value) => became.has(value)))
      continue;
    const outputs: Value[] = [];
    const copy: Node = { ...node, inputs: node.inputs.map((value) => became.get(value) ?? value), outputs };
    for (const value of node.outputs) {
      const twin = { ...value, node: copy };
      outputs.push(twin);
      became.set(value, twin);
    }
  }
  return (value) => became.get(value) ?? value;
}
