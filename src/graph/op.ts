import type { Node, Op, Type, Value } from "./value.js";

/** Declares an op; the returned function applies it. `grad` cannot be left out. */
export function defineOp<A = void>(
  op: Op<A>,
): ((inputs: readonly Value[], attrs: A) => Value) & {
  readonly op: Op<A>;
  /** All results, for ops with several. */
  readonly all: (inputs: readonly Value[], attrs: A) => readonly Value[];
} {
  const all = (inputs: readonly Value[], attrs: A): readonly Value[] => {
    const inferred = op.infer(inputs, attrs);
    const types = (Array.isArray(inferred) ? inferred : [inferred]) as readonly Type[];
    const outputs: Value[] = [];
    const node: Node = { op: op as Op<unknown>, inputs, attrs, outputs };
    types.forEach(({ dtype, shape }, index) => outputs.push({ node, index, dtype, shape }));
    return outputs;
  };
  return Object.assign((inputs: readonly Value[], attrs: A) => all(inputs, attrs)[0]!, { op, all });
}
