import type { Tensor } from "../tensor/index.js";
import type { TensorInfo } from "./bytes.js";
import type { WeightsFile } from "./weights-file.js";

/** A tensor that is computed when it is read. */
export interface Made extends TensorInfo {
  make(): Tensor | Promise<Tensor>;
}

/** The same file, where some tensors are made: instead of those that it holds, or beside them. */
export function withMade(file: WeightsFile, made: ReadonlyMap<string, Made>): WeightsFile {
  if (made.size === 0) return file;
  return {
    ...file,
    names: () => [...new Set([...file.names(), ...made.keys()])],
    entry: (name) => {
      const { dtype, shape } = made.get(name) ?? file.entry(name);
      return { dtype, shape };
    },
    read: async (name) => made.get(name)?.make() ?? file.read(name),
    location: (name) => (made.has(name) ? undefined : file.location(name)),
  };
}
