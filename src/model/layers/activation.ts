import { add, div, erf, mul, quickGelu, tanh, type Value } from "../../graph/index.js";

/** x · Φ(x), exactly. In this order of operations ONNX Runtime makes one of them. */
export const gelu = (x: Value): Value => mul(mul(x, add(erf(div(x, Math.SQRT2)), 1)), 0.5);

/** The approximation of GELU by a hyperbolic tangent: torch's `approximate="tanh"`. */
export const geluTanh = (x: Value): Value => {
  const inner = mul(add(x, mul(mul(x, mul(x, x)), 0.044715)), Math.sqrt(2 / Math.PI));
  return mul(mul(x, add(tanh(inner), 1)), 0.5);
};

/** Published models differ in it by up to 5e-4 per value: enough to be told apart. */
export const activations = { gelu, gelu_tanh: geluTanh, quick_gelu: quickGelu };
export type Activation = keyof typeof activations;
