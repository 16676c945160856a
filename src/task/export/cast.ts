import {
  CliptError,
  isFloat,
  sizeOf,
  toBFloat16,
  toFloat16,
  toFloat32,
  type Tensor,
} from "../../tensor/index.js";
import type { ExportDtype } from "./format.js";

/** Types that every number of a model can be kept in. */
export type FloatDtype = Exclude<ExportDtype, "q8">;

const casts: Readonly<Record<FloatDtype, (tensor: Tensor) => Tensor>> = {
  fp32: toFloat32,
  fp16: toFloat16,
  bf16: toBFloat16,
};

/** PyTorch's names of the types. */
export const torchType: Readonly<Record<FloatDtype, string>> = {
  fp32: "float32",
  fp16: "float16",
  bf16: "bfloat16",
};

/** The greatest number of float16. */
const halfLimit = 65504;

/**
 * Weights in another type. Single numbers, the temperature among them, and running statistics stay in float32.
 *
 * @throws `unsupported` for a weight whose numbers are too large for float16
 */
export function castWeights(weights: ReadonlyMap<string, Tensor>, dtype: FloatDtype): Map<string, Tensor> {
  return new Map(
    [...weights].map(([name, tensor]) => {
      if (!isFloat(tensor.dtype)) return [name, tensor];
      const wide = toFloat32(tensor);
      if (sizeOf(tensor.shape) === 1 || /\.running_(mean|var)$/.test(name)) return [name, wide];
      if (dtype === "fp16" && wide.data.some((x) => Math.abs(x) > halfLimit && Number.isFinite(x)))
        throw new CliptError(
          "unsupported",
          `"${name}" has numbers beyond ±${halfLimit}, which float16 cannot hold: --dtype bf16 can.`,
        );
      return [name, casts[dtype](wide)];
    }),
  );
}
