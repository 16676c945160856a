import { readFile } from "node:fs/promises";
import type { Encoder } from "../model/index.js";
import { CliptError, readError, tensor } from "../tensor/index.js";
import { decoding } from "./decoding.js";

/**
 * The vector of one picture: its bytes, or the path of its file. Many are `encodePictures`'.
 *
 * @returns [dim], length 1
 * @throws  `missing` or `io` for the file, `format` or `input` for the picture
 */
export async function encodePicture(
  picture: Uint8Array | string,
  encoder: Encoder,
  exact = false,
): Promise<Float32Array> {
  // The decoder takes long to load, and queries are texts most of the time.
  const { decodeImage, preprocess } = await import("../input/image/index.js");
  const config = encoder.model.preprocess;
  const bytes = typeof picture === "string" ? await read(picture) : picture;
  const decoded = await decodeImage(bytes, decoding(config, exact)).catch((error: unknown) => {
    if (!(error instanceof CliptError) || typeof picture !== "string") throw error;
    throw new CliptError(error.code, `${picture}: ${error.message}`, { cause: error });
  });
  const row = preprocess(decoded, config);
  const [height = 0, width = height] = [config.size].flat();
  return (await encoder.images(tensor("float32", [1, 3, height, width], row))).data;
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw readError(path, cause);
  }
}
