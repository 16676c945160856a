import type { DType, Shape, Tensor } from "../tensor/index.js";
import type { Op } from "./op.js";

/** What is known of a value before anything runs. */
export interface Type {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** One application of an op. Nodes are never changed; a program is whatever its results reach. */
export interface Node {
  readonly op: Op<unknown>;
  readonly inputs: readonly Value[];
  readonly attrs: unknown;
  readonly outputs: readonly Value[];
}

/** One result of a node. */
export interface Value extends Type {
  readonly node: Node;
  /** Which of the node's results. */
  readonly index: number;
}

export const isValue = (x: unknown): x is Value =>
  typeof x === "object" && x !== null && "node" in x && "index" in x && "dtype" in x;

/** Attributes of the two leaves, `input` and `constant`. */
export interface InputAttrs {
  readonly name: string;
}

/** A tensor that lies in a file, so that a runtime can map it instead of copying it. */
export interface FileLocation {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

export interface ConstantAttrs {
  readonly tensor: Tensor;
  readonly name?: string | undefined;
  readonly location?: FileLocation | undefined;
}

/** Nodes that `results` reach, inputs before users, each once; stable in the order of `results`. */
export function topological(results: readonly Value[]): Node[] {
  const order: Node[] = [];
  const done = new Set<Node>();
  // An explicit stack: a deep program (thousands of nodes in a row) would overflow the call stack.
  const stack: { node: Node; next: number }[] = [];
  for (const result of results) {
    if (done.has(result.node)) continue;
    stack.push({ node: result.node, next: 0 });
    done.add(result.node);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const input = top.node.inputs[top.next++];
      if (input === undefined) order.push(stack.pop()!.node);
      else if (!done.has(input.node)) {
        done.add(input.node);
        stack.push({ node: input.node, next: 0 });
      }
    }
  }
  return order;
}
