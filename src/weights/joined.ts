import { CliptError, type Tensor } from "../tensor/index.js";
import { head } from "./bytes.js";
import type { WeightsFile } from "./weights-file.js";

/** What a joined file takes of one: all, or the tensors whose names `keep` accepts. */
export interface Part {
  readonly file: WeightsFile;
  readonly keep?: (name: string) => boolean;
}

/**
 * The tensors of several files as those of one, which closes them all.
 *
 * @param path what it is called
 * @throws     `format` when two files hold a tensor of the same name
 */
export function joined(path: string, parts: readonly Part[]): WeightsFile {
  const owners = new Map<string, WeightsFile>();
  for (const { file, keep = () => true } of parts)
    for (const name of file.names().filter(keep)) {
      const other = owners.get(name);
      if (other !== undefined)
        throw new CliptError("format", `${other.path} and ${file.path} both hold "${head(name)}".`);
      owners.set(name, file);
    }
  const find = (name: string): WeightsFile => {
    const owner = owners.get(name);
    if (owner === undefined) throw new CliptError("missing", `${path} holds no tensor "${head(name)}".`);
    return owner;
  };
  return {
    path,
    metadata: {},
    names: () => [...owners.keys()],
    entry: (name) => find(name).entry(name),
    read: async (name): Promise<Tensor> => find(name).read(name),
    location: (name) => find(name).location(name),
    async close() {
      await Promise.all(parts.map(({ file }) => file.close()));
    },
  };
}
