import { showShape } from "../tensor/index.js";
import { topological, type Value } from "./value.js";

/**
 * A program as text, one line a node, for people and for tests:
 * `%2 = matmul(%0, %1) : float32[batch, 8]`.
 */
export function print(results: Value | readonly Value[]): string {
  const list = (Array.isArray(results) ? results : [results]) as readonly Value[];
  const names = new Map<Value, string>();
  const lines = topological(list).map((node) => {
    const outputs = node.outputs.map((value) => {
      names.set(value, `%${names.size}`);
      return names.get(value)!;
    });
    const inputs = node.inputs.map((value) => names.get(value)!);
    const types = node.outputs.map((value) => value.dtype + showShape(value.shape));
    return `${outputs.join(", ")} = ${node.op.name}(${[...inputs, ...showAttrs(node.attrs)].join(", ")}) : ${types.join(", ")}`;
  });
  return [...lines, `return ${list.map((value) => names.get(value)!).join(", ")}`].join("\n");
}

function showAttrs(attrs: unknown): string[] {
  if (typeof attrs !== "object" || attrs === null) return [];
  return Object.entries(attrs).flatMap(([key, value]) => {
    if (value === undefined || key === "dtype" || key === "location") return [];
    if (key === "tensor") {
      const data = (value as { data: ArrayLike<number | bigint> }).data;
      return data.length === 1 ? [String(data[0])] : [];
    }
    return [`${key}=${Array.isArray(value) ? `[${value.flat().join(", ")}]` : String(value)}`];
  });
}
