import { readFile } from "node:fs/promises";
import type { Encoder } from "../model/index.js";
import { CliptError, readError, tensor } from "../tensor/index.js";
import { decoding } from "./decoding.js";
import type { Context } from "./task.js";

/**
 * The vector of one picture: its bytes, or the path of its file. Many are `encodePictures`'.
 *
 * @returns [dim], length 1
 * @throws  `missing` or `io` for the file, what `decodeImage` throws for the picture
 */
export async function encodePicture(
  picture: Uint8Array | string,
  encoder: Encoder,
  exact: boolean,
  { services }: Pick<Context, "services">,
): Promise<Float32Array> {
  const { preprocess } = encoder.model;
  const bytes = typeof picture === "string" ? await read(picture) : picture;
  const rows = await services.pictureRows({ preprocess, decode: decoding(preprocess, exact) }, 1);
  try {
    const row = await rows.decode(bytes);
    if (row instanceof Float32Array)
      return (await encoder.images(tensor("float32", [1, ...rows.shape], row))).data;
    const { reason, code = "input" } = row;
    throw new CliptError(code, typeof picture === "string" ? `${picture}: ${reason}` : reason);
  } finally {
    await rows.close();
  }
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw readError(path, cause);
  }
}
