import { basename } from "node:path";
import { lighten, topological, type ConstantAttrs, type Dtype } from "../../graph/index.js";
import type { NamedProgram } from "../../model/index.js";
import { encodeModel } from "../../runtime/index.js";
import { replaceFile } from "../../weights/index.js";

/** A message of protobuf, and so an ONNX file with all its weights inside, ends below 2 GiB. */
const mostInside = 2_000_000_000;

/**
 * Writes a program as an ONNX file; weights that do not fit into it lie beside it in `PATH_data`, in transformers.js's manner.
 *
 * @param inside bytes of weights that the file itself may hold
 * @returns      the paths of what was written, the ONNX file first
 * @throws       `io` as `replaceFile` does
 */
export async function writeOnnxProgram(
  path: string,
  { inputs, outputs }: NamedProgram,
  dtype: Dtype,
  inside = mostInside,
): Promise<string[]> {
  const light = lighten(outputs, dtype);
  const weights = topological(Object.values(light)).reduce((sum, { op, attrs }) => {
    return op.name === "constant" ? sum + (attrs as ConstantAttrs).tensor.data.byteLength : sum;
  }, 0);
  const beside = weights > inside ? `${path}_data` : undefined;
  const { bytes, own } = encodeModel(light, { inputs, ownFile: beside && basename(beside) });
  if (beside !== undefined) await replaceFile(beside, own);
  await replaceFile(path, [bytes]);
  return beside === undefined ? [path] : [path, beside];
}
