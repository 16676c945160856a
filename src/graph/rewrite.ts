import { topological, type Node, type Value } from "./value.js";

/**
 * What stands for a node's results in the new program; undefined keeps the node.
 *
 * @param inputs the node's inputs, as they became
 */
export type Rule = (node: Node, inputs: readonly Value[]) => readonly Value[] | undefined;

/**
 * The same computation with some of its nodes replaced, inputs before users.
 * Nodes that do not depend on a replaced one are shared, not copied.
 *
 * @returns for every value on the way, and every result, what it became
 */
export function rewrite(results: readonly Value[], rule: Rule): (value: Value) => Value {
  const became = new Map<Value, Value>();
  for (const node of topological(results)) {
    const inputs = node.inputs.map((value) => became.get(value) ?? value);
    const outputs = rule(node, inputs) ?? withInputs(node, inputs);
    node.outputs.forEach((value, i) => {
      if (outputs[i] !== value) became.set(value, outputs[i]!);
    });
  }
  return (value) => became.get(value) ?? value;
}

function withInputs(node: Node, inputs: readonly Value[]): readonly Value[] {
  if (inputs.every((value, i) => value === node.inputs[i])) return node.outputs;
  const outputs: Value[] = [];
  const copy: Node = { ...node, inputs, outputs };
  for (const value of node.outputs) outputs.push({ ...value, node: copy });
  return outputs;
}
