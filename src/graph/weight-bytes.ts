import { byteSize, sizeOf } from "../tensor/index.js";
import { topological, type ConstantAttrs, type Value } from "./value.js";

/** Bytes of all constants of a program. */
export const weightBytes = (results: readonly Value[]): number =>
  topological(results)
    .filter(({ op }) => op.name === "constant")
    .map(({ attrs }) => (attrs as ConstantAttrs).tensor)
    .reduce((sum, { dtype, shape }) => sum + byteSize(dtype) * sizeOf(shape), 0);
