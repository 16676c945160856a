import { clipSpec, isSpec, type ClipConfig } from "../../model/index.js";
import { flatten } from "../../tensor/index.js";
import { isDecayed } from "../optimiser/parameters.js";

/** Modules in the order in which open_clip's classes make them, where that is not the order of our records. */
const made = {
  model: ["visual", "text", "transformer", "token_embedding", "ln_final", "text_projection"],
  text: ["token_embedding", "transformer", "ln_final", "text_projection"],
} as const;

/**
 * The names of a model's trained weights in the order in which PyTorch lists open_clip's parameters: those of a module
 * itself before those of the modules in it.
 *
 * @source mlfoundations/open_clip `CLIP`, `CustomTextCLIP`, `TextTransformer`; torch `Module.named_parameters`
 */
export function inOpenClipOrder(config: ClipConfig, trained: readonly string[]): string[] {
  const wanted = new Set(trained);
  const names = [...flatten(clipSpec(config), isSpec).keys()].filter((name) => wanted.has(name));
  return ordered(names, "", { "": made.model, "text.": made.text });
}

type Made = Readonly<Record<string, readonly string[]>>;

function ordered(names: readonly string[], prefix: string, modules: Made): string[] {
  const inside = names.filter((name) => name.startsWith(prefix));
  const own = inside.filter((name) => !name.slice(prefix.length).includes("."));
  const children = [
    ...new Set(inside.filter((name) => !own.includes(name)).map((name) => partAfter(prefix, name))),
  ];
  const order = modules[prefix] ?? [];
  const place = (child: string) => order.indexOf(child) + 1 || children.indexOf(child) + 1;
  return [
    ...own,
    ...children
      .toSorted((a, b) => place(a) - place(b))
      .flatMap((child) => ordered(inside, `${prefix}${child}.`, modules)),
  ];
}

const partAfter = (prefix: string, name: string): string => name.slice(prefix.length).split(".")[0]!;

/** Names of the optimizer's two groups, without and with decay, which it numbers through in this order. */
export interface ParameterGroups {
  readonly plain: readonly string[];
  readonly decayed: readonly string[];
}

/** @param trained names of the weights that are trained; the others are locked */
export function parameterGroups(config: ClipConfig, trained: readonly string[]): ParameterGroups {
  const shapes = flatten(clipSpec(config), isSpec);
  const decays = (name: string) => isDecayed(name, shapes.get(name)!.shape);
  const names = inOpenClipOrder(config, trained);
  return { plain: names.filter((name) => !decays(name)), decayed: names.filter(decays) };
}
