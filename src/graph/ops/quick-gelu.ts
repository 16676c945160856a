import { scalar } from "../../tensor/index.js";
import { defineOp } from "../op.js";
import type { Value } from "../value.js";
import { add, mul, sub } from "./elementwise.js";

const slope = 1.702;

/** Keeps the sigmoid for the way back, which from its parts would be three passes over the widest values longer. */
const quickGeluOp = defineOp({
  name: "quickGelu",
  infer: ([x]) => {
    const type = { dtype: x!.dtype, shape: x!.shape };
    return [type, type];
  },
  onnx: (emit, [x]) => {
    const [steep] = emit.node("Mul", [x!, emit.tensor(scalar(slope))]);
    const [gate] = emit.node("Sigmoid", [steep!]);
    return [emit.node("Mul", [x!, gate!])[0]!, gate!];
  },
  // (x·s)′ = s + slope·x·s·(1 − s) = s·(1 + slope·(x − y))
  grad: ([g], { inputs: [x], outputs: [y, gate] }) => [mul(g!, mul(gate!, add(mul(sub(x!, y!), slope), 1)))],
});
/** x · sigmoid(1.702 x). Source: openai/CLIP `QuickGELU`. */
export const quickGelu = (x: Value): Value => quickGeluOp([x], undefined);
