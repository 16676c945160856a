import type { Runtime } from "../runtime/index.js";
import { CliptError } from "../tensor/index.js";
import { openEncoder, type Encoder, type EncoderOptions } from "./encoder.js";
import { openOnnxEncoder } from "./onnx/encoder.js";
import { isOnnxRepository, openOnnxRepository } from "./onnx/repository.js";
import { openModel } from "./open.js";
import type { ForcedSizes } from "./sizes.js";

/**
 * Opens whatever lies at a path as an encoder: weights of any layout, or else ONNX files.
 *
 * @throws as `openModel` and `openOnnxRepository` do; `usage` for ONNX files at other sizes than theirs
 */
export async function openEncoderAt(
  path: string,
  runtime: Runtime,
  { imageSize, contextLength, ...options }: EncoderOptions & ForcedSizes = {},
): Promise<Encoder> {
  if (!(await isOnnxRepository(path)))
    return openEncoder(await openModel(path, { imageSize, contextLength }), runtime, options);
  if (imageSize !== undefined || contextLength !== undefined)
    throw new CliptError(
      "usage",
      `${path} holds ONNX files, whose sizes are fixed; its weights take others.`,
    );
  return openOnnxEncoder(await openOnnxRepository(path, options.dtype), runtime);
}
