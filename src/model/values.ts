import { cast, constant, type FileLocation, type Value } from "../graph/index.js";
import { mapTree, toFloat32, withShape, type Tensor } from "../tensor/index.js";
import { locatedTensor, type WeightsFile } from "../weights/index.js";
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
    const tensor = withShape(weights.get(name)!, shape);
    const value = constant(tensor, { name, location: locations.get(name) });
    return tensor.dtype === "float16" ? cast(value, "float32") : value;
  }) as ClipWeights<Value>;

/**
 * The tensors of a file of weights, and where they lie in it. Those that can be mapped are read when somebody asks for
 * their numbers, unless all are wanted in memory. Types that no runtime computes with become float32.
 */
export async function readAll(
  file: WeightsFile,
  { inMemory = false }: { readonly inMemory?: boolean | undefined } = {},
): Promise<{ tensors: Map<string, Tensor>; locations: Map<string, FileLocation> }> {
  const tensors = new Map<string, Tensor>();
  const locations = new Map<string, FileLocation>();
  for (const name of file.names()) {
    const info = file.entry(name);
    const foreign = info.dtype === "bfloat16" || info.dtype === "float64";
    const location = foreign ? undefined : file.location(name);
    if (location !== undefined) locations.set(name, location);
    if (location !== undefined && !inMemory) tensors.set(name, locatedTensor(info, location));
    else {
      const tensor = await file.read(name);
      tensors.set(name, foreign ? toFloat32(tensor) : tensor);
    }
  }
  return { tensors, locations };
}
