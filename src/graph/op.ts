import type { Dim, Shape, Tensor } from "../tensor/index.js";
import type { Node, Type, Value } from "./value.js";

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

export type { Dim, Shape };
