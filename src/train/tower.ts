import { input, mul, substitute, type Block, type Packing, type Value } from "../graph/index.js";
import { CliptError, showShape } from "../tensor/index.js";
import type { Context } from "../model/index.js";

/** A tower as a function of its input, weights given. */
export type Forward = (x: Value, context: Context) => Value;

/** What a forward pass leaves behind for training. */
export interface Pass {
  /** [rows, dim], not normalised. */
  readonly features: Value;
  /** New running statistics by the weights' names. */
  readonly statistics: ReadonlyMap<string, Value>;
  readonly blocks: readonly Block[];
}

/** How a dropped value's mask is fed. */
export interface Mask {
  readonly name: string;
  readonly shape: readonly number[];
  readonly rate: number;
}

export interface PassOptions {
  /** Name of a tap (or "image.features", "text.features"): the tower starts there instead of at its input. */
  readonly cut?: string | undefined;
  /** Whether batch norm uses the statistics of the batch. */
  readonly batchStatistics: boolean;
  /** Where tokens stand in a text tower's ids. */
  readonly packing?: Packing | undefined;
  /** Masks of values that are dropped are noted here; absent: nothing is dropped. */
  readonly masks?: Mask[];
}

/**
 * The tower's trained part. With a cut, what lies before it is replaced by an input of the cut's shape: the frozen part
 * is computed once and kept (`frozenPart`).
 *
 * @param x    the tower's input, with a fixed number of rows
 * @param from name and tap prefix of the tower's input: "image" or "text"
 */
export function trainedPart(forward: Forward, x: Value, from: string, options: PassOptions): Pass {
  const statistics = new Map<string, Value>();
  const blocks: Block[] = [];
  const taps = new Map<string, Value>();
  const context: Context = {
    ...(options.cut === undefined ? {} : { tap: (name, value) => void taps.set(name, value) }),
    packing: options.packing,
    block: (inputs, output) => void blocks.push({ inputs, output }),
    ...(options.batchStatistics ? { statistics } : {}),
    ...(options.masks === undefined ? {} : { dropout: maskInto(options.masks) }),
  };
  const features = forward(x, context);
  taps.set(`${from}.features`, features);
  if (options.cut === undefined) return { features, statistics, blocks };
  const at = valueAt(taps, options.cut);
  const start = input(`batch.${from}`, at.shape, at.dtype);
  const after = substitute([features, ...statistics.values()], new Map([[at, start]]));
  // What does not depend on the cut isAfter before it, is frozen and keeps its statistics.
  const isAfter = (value: Value): boolean => value !== at && after(value) !== value;
  return {
    features: after(features),
    statistics: new Map(
      [...statistics].filter(([, value]) => isAfter(value)).map(([name, value]) => [name, after(value)]),
    ),
    blocks: blocks
      .filter(({ output }) => isAfter(output))
      .map(({ inputs, output }) => ({ inputs: inputs.map(after), output: after(output) })),
  };
}

/**
 * A point of a tower as it is when nothing is trained: before a cut, that is the frozen part.
 */
export const frozenPart = (forward: Forward, x: Value, from: string, point: string): Value =>
  frozenPoints(forward, x, from)(point);

/** The same for several points of one pass. */
export function frozenPoints(forward: Forward, x: Value, from: string): (point: string) => Value {
  const taps = tapsOf(forward, x, from);
  return (point) => valueAt(taps, point);
}

/** A point behind a cut, as a function of the values at the cut; `own` is any input that the tower takes. */
export function behindCut(
  forward: Forward,
  own: Value,
  from: string,
  { cut, point }: { readonly cut: string; readonly point: string },
): Value {
  const taps = tapsOf(forward, own, from);
  const at = valueAt(taps, cut);
  const result = valueAt(taps, point);
  return substitute([result], new Map([[at, input(`batch.${from}`, at.shape, at.dtype)]]))(result);
}

function tapsOf(forward: Forward, x: Value, from: string): Map<string, Value> {
  const taps = new Map<string, Value>();
  taps.set(`${from}.features`, forward(x, { tap: (name, value) => void taps.set(name, value) }));
  return taps;
}

function valueAt(taps: ReadonlyMap<string, Value>, cut: string): Value {
  const value = taps.get(cut);
  if (value === undefined)
    throw new CliptError("usage", `The tower has no point "${cut}"; it has ${[...taps.keys()].join(", ")}.`);
  return value;
}

const maskInto =
  (masks: Mask[]) =>
  (x: Value, rate: number): Value => {
    if (rate === 0) return x;
    if (x.shape.some((dim) => typeof dim === "string"))
      throw new CliptError("shape", `Dropout of ${showShape(x.shape)}: training needs fixed lengths.`);
    const mask: Mask = { name: `batch.mask.${masks.length}`, shape: x.shape as number[], rate };
    masks.push(mask);
    return mul(x, input(mask.name, mask.shape));
  };
