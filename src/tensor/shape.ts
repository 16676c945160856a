import { CliptError } from "./error.js";

/**
 * A length: a number, or a symbol that is known when the program runs ("batch", "length").
 * Products of symbols are symbols too, written in one canonical way: "12*batch*length".
 */
export type Dim = number | string;
export type Shape = readonly Dim[];

export const showShape = (shape: Shape): string => `[${shape.join(", ")}]`;

/** Product of dimensions; 1 for none. */
export function product(dims: Shape): Dim {
  let number = 1;
  const symbols: string[] = [];
  for (const dim of dims) {
    if (typeof dim === "number") number *= dim;
    else
      for (const part of dim.split("*")) {
        if (/^\d+$/.test(part)) number *= Number(part);
        else symbols.push(part);
      }
  }
  if (symbols.length === 0 || number === 0) return number;
  symbols.sort();
  return (number === 1 ? symbols : [String(number), ...symbols]).join("*");
}

/** Elements of a shape without symbols. */
export function sizeOf(shape: Shape): number {
  const size = product(shape);
  if (typeof size === "string") throw new CliptError("shape", `Shape ${showShape(shape)} has no fixed size.`);
  return size;
}

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((dim, i) => dim === b[i]);

/** Axis counted from the end when negative. */
export function axisOf(axis: number, rank: number): number {
  const result = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(result) || result < 0 || result >= rank)
    throw new CliptError("shape", `Axis ${axis} is outside of a value of rank ${rank}.`);
  return result;
}

/** NumPy's broadcasting: aligned at the last axis, a length of 1 stretches. */
export function broadcast(a: Shape, b: Shape): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    throw new CliptError(
      "shape",
      `Shapes ${showShape(a)} and ${showShape(b)} do not broadcast: ${x} against ${y}.`,
    );
  });
}

/** Elements to step over for one step along each axis, row-major. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i] ?? 1;
  }
  return strides;
}
