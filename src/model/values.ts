import { cast, constant, type FileLocation, type Value } from "../graph/index.js";
import { mapTree, toFloat32, type Tensor } from "../tensor/index.js";
import type { WeightsFile } from "../weights/index.js";
import { clipSpec, type ClipWeights } from "./clip.js";
import type { ClipConfig } from "./config.js";
import { isSpec } from "./spec.js";

/**
 * A model's weights as constants of a program. Half precision is widened when the program is opened.
 *
 * @param locations where numbers lie in files, to be mapped there instead of copied
 */
export const constants = (
  config: ClipConfig,
  weights: ReadonlyMap<string, Tensor>,
  locations: ReadonlyMap<string, FileLocation> = new Map(),
): ClipWeights<Value> =>
  mapTree(clipSpec(config), isSpec, ({ shape }, name) => {
    const tensor = { ...weights.get(name)!, shape };
    const value = constant(tensor, { name, location: locations.get(name) });
    return tensor.dtype === "float16" ? cast(value, "float32") : value;
  }) as ClipWeights<Value>;

/** The numbers of a file of weights, and where they lie in it. Types that no runtime computes with become float32. */
export async function readAll(
  file: WeightsFile,
): Promise<{ tensors: Map<string, Tensor>; locations: Map<string, FileLocation> }> {
  const tensors = new Map<string, Tensor>();
  const locations = new Map<string, FileLocation>();
  for (const name of file.names()) {
    const tensor = await file.read(name);
    const foreign = tensor.dtype === "bfloat16" || tensor.dtype === "float64";
    tensors.set(name, foreign ? toFloat32(tensor) : tensor);
    const location = file.location(name);
    if (location !== undefined && !foreign) locations.set(name, location);
  }
  return { tensors, locations };
}
