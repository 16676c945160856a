import { layerNorm, type Value } from "../../graph/index.js";
import { onesSpec, zerosSpec, type Spec } from "../spec.js";

/** Scale and shift of the last axis, [width] each. */
export interface Norm<T> {
  readonly weight: T;
  readonly bias: T;
}

export const normSpec = (width: number): Norm<Spec> => ({ weight: onesSpec(width), bias: zerosSpec(width) });

/** x: [..., width] → same. */
export const norm = ({ weight, bias }: Norm<Value>, x: Value, eps: number): Value =>
  layerNorm(x, weight, bias, eps);
