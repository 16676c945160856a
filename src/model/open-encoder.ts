import type { Runtime } from "../runtime/index.js";
import { openEncoder, type Encoder, type EncoderOptions } from "./encoder.js";
import { openOnnxEncoder } from "./onnx/encoder.js";
import { isOnnxRepository, openOnnxRepository } from "./onnx/repository.js";
import { openModel } from "./open.js";

/**
 * Opens whatever lies at a path as an encoder: weights of any layout, or else ONNX files.
 *
 * @throws as `openModel` and `openOnnxRepository` do
 */
export async function openEncoderAt(
  path: string,
  runtime: Runtime,
  options: EncoderOptions = {},
): Promise<Encoder> {
  if (await isOnnxRepository(path))
    return openOnnxEncoder(await openOnnxRepository(path, options.dtype), runtime);
  return openEncoder(await openModel(path), runtime, options);
}
