import type { DType, Shape, Tensor } from "../tensor/index.js";

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

/** ONNX attribute values: whole numbers are ints, `{ float }` are floats. */
export type OnnxAttribute = number | string | readonly number[] | { readonly float: number };
export type OnnxAttributes = Readonly<Record<string, OnnxAttribute>>;

/** What an op's ONNX form is written to. Names stand for ONNX values. */
export interface Emit {
  /** Appends a node; returns the names of its results. */
  node(
    type: string,
    inputs: readonly string[],
    attributes?: OnnxAttributes,
    options?: { outputs?: number; domain?: string },
  ): string[];
  /** A tensor that is part of the program; equal small tensors are stored once. */
  tensor(tensor: Tensor): string;
  /** int64 [shape.length], with symbols read from the inputs when the program runs. */
  shape(shape: Shape): string;
}

/** One gradient per input; `undefined` where nothing flows. Shapes may still be broadcast: the walk undoes that. */
export type Gradient<A> = (
  grads: readonly (Value | undefined)[],
  node: { readonly inputs: readonly Value[]; readonly outputs: readonly Value[]; readonly attrs: A },
) => readonly (Value | undefined)[];

export interface Op<A> {
  readonly name: string;
  /** Types of the results, from the types of the inputs; throws a `shape` error when they do not fit. */
  readonly infer: (inputs: readonly Value[], attrs: A) => Type | readonly Type[];
  /** The name of an ONNX operator with the same inputs and results, or how to write the op with several. */
  readonly onnx:
    | string
    | ((emit: Emit, inputs: readonly string[], node: Node & { readonly attrs: A }) => readonly string[]);
  /** The derivative, or why there is none. */
  readonly grad: Gradient<A> | { readonly none: string };
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
