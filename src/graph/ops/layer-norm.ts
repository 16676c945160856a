import { CliptError, showShape } from "../../tensor/index.js";
import { defineOp } from "../op.js";
import type { Value } from "../value.js";
import { mul, sub } from "./elementwise.js";
import { mean } from "./reduce.js";

const layerNormOp = defineOp<{ eps: number }>({
  name: "layerNorm",
  infer: ([x, gamma, beta]) => {
    const width = x!.shape.at(-1)!;
    for (const w of [gamma!, beta!])
      if (w.shape.length !== 1 || w.shape[0] !== width)
        throw new CliptError(
          "shape",
          `layerNorm: weights of shape ${showShape(w.shape)} do not fit ${showShape(x!.shape)}.`,
        );
    const row = { dtype: x!.dtype, shape: x!.shape.with(-1, 1) };
    return [{ dtype: x!.dtype, shape: x!.shape }, row, row];
  },
  onnx: (emit, inputs, { attrs }) =>
    emit.node("LayerNormalization", inputs, { axis: -1, epsilon: { float: attrs.eps } }, { outputs: 3 }),
  grad: ([g], { inputs: [x, gamma], outputs: [, center, inverse] }) => {
    const unit = mul(sub(x!, center!), inverse!);
    const gx = mul(g!, gamma!);
    const inner = sub(sub(gx, mean(gx, -1)), mul(unit, mean(mul(gx, unit), -1)));
    return [mul(inner, inverse!), mul(g!, unit), g];
  },
});
/**
 * Normalises the last axis to mean 0 and variance 1, then scales and shifts. ONNX LayerNormalization-17.
 *
 * @param x     [..., width]
 * @param gamma [width]
 * @param beta  [width]
 */
export const layerNorm = (x: Value, gamma: Value, beta: Value, eps: number): Value =>
  layerNormOp([x, gamma, beta], { eps });
