import { CliptError, product, sameShape, scalar, showShape, type Shape } from "../tensor/index.js";
import { add, mul } from "./ops/elementwise.js";
import { constant, filled, valueOf } from "./ops/leaf.js";
import { gemm } from "./ops/matmul.js";
import { expand, reshape, slice } from "./ops/movement.js";
import { sum } from "./ops/reduce.js";
import { substitute } from "./substitute.js";
import { topological, type Node, type Value } from "./value.js";

/** A stretch of the program that keeps only its inputs: the way back computes the rest again. */
export interface Block {
  readonly inputs: readonly Value[];
  readonly output: Value;
}

export interface GradientOptions {
  /** Blocks to recompute instead of keeping their inner values: memory for time. */
  readonly recompute?: readonly Block[];
}

/**
 * Derivatives of a scalar with respect to values, by the chain rule from the end to the start.
 *
 * @returns one gradient per value of `wrt`, of its shape; zeros where the scalar does not depend on it
 * @throws `shape` when `loss` is not a scalar, or when an op on the path has no derivative
 */
export function gradients(loss: Value, wrt: readonly Value[], options: GradientOptions = {}): Value[] {
  if (product(loss.shape) !== 1)
    throw new CliptError("shape", `A gradient starts at a scalar, not at ${showShape(loss.shape)}.`);
  const blocks = new Map((options.recompute ?? []).map((block) => [block.output.node, block]));
  const needed = dependents(loss, wrt);
  const grads = new Map<Value, Value>([[loss, filled(loss.shape as number[], 1)]]);

  const walk = (result: Value, among: ReadonlySet<Node>): void => {
    for (const node of topological([result]).reverse()) {
      if (!among.has(node)) continue;
      const incoming = node.outputs.map((output) => grads.get(output));
      if (incoming.every((g) => g === undefined)) continue;
      const block = blocks.get(node);
      if (block === undefined) back(node, incoming);
      else again(block, incoming);
    }
  };

  const back = (node: Node, incoming: readonly (Value | undefined)[]): void => {
    if (node.inputs.every((value) => !needed.has(value.node))) return;
    const rule = node.op.grad;
    if (typeof rule !== "function")
      throw new CliptError("shape", `No gradient flows through ${node.op.name}: ${rule.none}.`);
    const outgoing = rule(incoming, node);
    node.inputs.forEach((input, i) => {
      const g = outgoing[i];
      if (g === undefined || !needed.has(input.node)) return;
      const fitted = sumTo(g, input);
      const sofar = grads.get(input);
      grads.set(input, sofar === undefined ? fitted : add(sofar, fitted));
    });
  };

  // The copy starts at inputs that depend on the arriving gradient, so that no runtime can share it with, or
  // schedule it beside, the first computation.
  const again = ({ inputs, output }: Block, incoming: readonly (Value | undefined)[]): void => {
    const g = incoming[output.index]!;
    const zero = mul(firstElement(g), 0);
    const held = inputs.map((value) => add(value, zero));
    const copy = substitute([output], new Map(inputs.map((value, i) => [value, held[i]!])));
    const result = copy(output);
    // The copy alone: through the gradient that its inputs depend on, all later layers can be reached again.
    const inside = new Set(held.map((value) => value.node));
    for (const node of topological([result]))
      if (node.inputs.some((value) => inside.has(value.node))) inside.add(node);
    for (const node of inside) needed.add(node);
    for (const { node } of held) inside.delete(node);
    grads.set(result, g);
    blocks.delete(output.node);
    walk(result, inside);
    inputs.forEach((input, i) => {
      const arrived = grads.get(held[i]!);
      if (arrived === undefined || !needed.has(input.node)) return;
      const sofar = grads.get(input);
      grads.set(input, sofar === undefined ? arrived : add(sofar, arrived));
    });
  };

  walk(loss, needed);
  return wrt.map((value) => grads.get(value) ?? zerosLike(value));
}

/** Nodes between `wrt` and the loss, both included: only they need gradients. */
function dependents(loss: Value, wrt: readonly Value[]): Set<Node> {
  const result = new Set(wrt.map((value) => value.node));
  for (const node of topological([loss]))
    if (node.inputs.some((value) => result.has(value.node))) result.add(node);
  return result;
}

/** The one place that undoes broadcasting: sums a gradient over the axes along which its input was stretched. */
export function sumTo(g: Value, input: Value): Value {
  if (sameShape(g.shape, input.shape)) return g;
  const lead = g.shape.length - input.shape.length;
  const count = product(g.shape.slice(0, lead));
  // A sum over rows runs faster as a product with ones than as a reduction (measured: a training step −9 %).
  if (input.shape.length === 1 && lead > 0 && input.shape[0] === g.shape.at(-1))
    return reshape(gemm(ones([1, count]), reshape(g, [count, input.shape[0]!])), input.shape);
  const axes = g.shape.flatMap((dim, i) =>
    i < lead || (input.shape[i - lead] === 1 && dim !== 1) ? [i] : [],
  );
  return reshape(axes.length > 0 ? sum(g, axes) : g, input.shape);
}

const ones = (shape: Shape): Value =>
  shape.every((dim) => typeof dim === "number") ? filled(shape, 1) : expand(valueOf(1), shape);

/** One element of a value, as a scalar. */
const firstElement = (x: Value): Value =>
  reshape(
    x.shape.reduce((value: Value, _, axis) => slice(value, axis, 0, 1), x),
    [],
  );

const zerosLike = (value: Value): Value => mul(value, constant(scalar(0)));
