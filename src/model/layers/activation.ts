import { add, erf, mul, quickGelu, tanh, type Value } from "../../graph/index.js";

/** x · Φ(x), exactly. */
export const gelu = (x: Value): Value => mul(mul(x, add(erf(mul(x, Math.SQRT1_2)), 1)), 0.5);

/** The approximation of GELU by a hyperbolic tangent: torch's `approximate="tanh"`. */
export const geluTanh = (x: Value): Value => {
  const inner = mul(add(x, mul(mul(x, mul(x, x)), 0.044715)), Math.sqrt(2 / Math.PI));
  return mul(mul(x, add(tanh(inner), 1)), 0.5);
};

/** Published models differ in it by up to 5e-4 per value: enough to be told apart. */
export const activations = { gelu, gelu_tanh: geluTanh, quick_gelu: quickGelu };
export type Activation = keyof typeof activations;
