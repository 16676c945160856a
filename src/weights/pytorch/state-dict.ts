import { CliptError, type DType } from "../../tensor/index.js";
import { head } from "../bytes.js";
import { broken } from "./pickle.js";
import { isTensor, Module, type Plain } from "./plain.js";

/** More names than any checkpoint has; modules that share modules could name exponentially many. */
const nameLimit = 100_000;
/** Longer than any name; a long text that many modules share could fill the memory. */
const nameLengthLimit = 1024;

/**
 * The state dict of a PyTorch file: the one under `state_dict` or `model` in a training checkpoint, the tensors
 * of the modules by dotted path in a TorchScript archive. Leaves out what is no tensor, and the `module.`
 * (DistributedDataParallel) and `_orig_mod.` (torch.compile) in front of all names.
 *
 * @throws `format` when there is none, or several
 */
export function stateDict<T extends { readonly dtype: DType }>(root: Plain<T>): Map<string, T> {
  const found = root instanceof Module ? moduleTensors(root) : (named(root) ?? only(root));
  if (found === undefined || found.size === 0)
    throw new CliptError("format", "The PyTorch file holds no state dict: no dictionary of tensors by name.");
  return ["module.", "_orig_mod."].reduce(
    (dict, prefix) =>
      [...dict.keys()].every((name) => name.startsWith(prefix))
        ? new Map([...dict].map(([name, value]) => [name.slice(prefix.length), value]))
        : dict,
    found,
  );
}

/** The dictionary under a name that training programs give it. */
function named<T extends object>(root: Plain<T>): Map<string, T> | undefined {
  if (!(root instanceof Map)) return undefined;
  for (const key of ["state_dict", "model_state_dict", "model"]) {
    const tensors = tensorsOf(root.get(key));
    if (tensors !== undefined) return tensors;
  }
  return undefined;
}

/** The root when it holds tensors, else the only dictionary in it that does. */
function only<T extends object>(root: Plain<T>): Map<string, T> | undefined {
  const own = tensorsOf(root);
  if (own !== undefined || !(root instanceof Map)) return own;
  // Each dictionary is looked at once, however many names it has.
  const found = new Map<Plain<T>, Map<string, T>>();
  for (const value of new Set(root.values())) {
    const tensors = tensorsOf(value);
    if (tensors !== undefined) found.set(value, tensors);
  }
  if (found.size > 1) {
    const names = [...root].flatMap(([key, value]) => (found.has(value) ? [String(key)] : []));
    throw broken(`it holds several state dicts (${head(names.join(", "))})`);
  }
  return [...found.values()][0];
}

function tensorsOf<T extends object>(value: Plain<T> | undefined): Map<string, T> | undefined {
  if (!(value instanceof Map)) return undefined;
  const tensors = [...value].flatMap(([key, item]) =>
    typeof key === "string" && isTensor<T>(item) ? [[key, item] as const] : [],
  );
  return tensors.length === 0 ? undefined : new Map(tensors);
}

function moduleTensors<T extends object>(root: Module<T>): Map<string, T> {
  const result = new Map<string, T>();
  let visited = 0;
  const walk = (module: Module<T>, prefix: string): void => {
    for (const [name, value] of module.attributes) {
      if (++visited > nameLimit) throw broken(`its modules name more than ${nameLimit} things`);
      const path = prefix + name;
      if (path.length > nameLengthLimit) throw broken(`the name "${head(path)}" has ${path.length} letters`);
      if (value instanceof Module) walk(value, `${path}.`);
      else if (isTensor<T>(value)) result.set(path, value);
    }
  };
  walk(root, "");
  return result;
}
