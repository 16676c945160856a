import { existsSync } from "node:fs";
import { join } from "node:path";
import { zeroShotHead } from "../score/index.js";
import { CliptError, type Tensor } from "../tensor/index.js";
import { plainTemplate, promptsOf, readTemplates, type LabelSet } from "../train/data/labels.js";
import type { Encoder, EncoderModel } from "../model/index.js";
import { encodeTexts } from "./encode-texts.js";
import type { Context } from "./task.js";

/** @throws `input` for an empty or repeated name */
export function checkNames(names: readonly string[]): void {
  const first = new Map<string, number>();
  for (const [i, name] of names.entries()) {
    if (name.trim() === "") throw new CliptError("input", `Label ${i + 1} of ${names.length} is empty.`);
    const before = first.get(name);
    if (before !== undefined)
      throw new CliptError(
        "input",
        `The label "${name}" occurs twice, as number ${before + 1} and ${i + 1}.`,
      );
    first.set(name, i);
  }
}

/** The sentences of a file; without one those that the model brings for the names' language; without these a plain one. */
export async function templatesFor(
  names: readonly string[],
  path: string | undefined,
  model: EncoderModel,
): Promise<readonly string[]> {
  if (path !== undefined) return readTemplates(path);
  const own = join(model.path, `templates.${languageOf(names)}.txt`);
  return existsSync(own) ? readTemplates(own) : [plainTemplate];
}

/** Which of the languages that models bring templates for: the one whose letters most names have. */
export function languageOf(names: readonly string[]): "en" | "ru" {
  const cyrillic = names.filter((name) => /\p{Script=Cyrillic}/u.test(name)).length;
  return cyrillic > names.length / 2 ? "ru" : "en";
}

export interface ClassHead {
  /** Directions of the classes, [classes, dim]. */
  readonly directions: Tensor<"float32">;
  /** Classes of which a sentence was longer than the model reads: its end was left out. */
  readonly truncated: ReadonlySet<number>;
}

/** Names of each class in all templates. `most`: how many of its names count. */
export async function classHead(
  labels: LabelSet,
  most: number,
  encoder: Encoder,
  context: Pick<Context, "signal" | "emit">,
): Promise<ClassHead> {
  const prompts = promptsOf(labels, most);
  const classOf = prompts.flatMap((sentences, i) => sentences.map(() => i));
  const truncated = new Set<number>();
  const directions = await zeroShotHead(prompts, async (texts) => {
    const encoded = await encodeTexts(texts, encoder, context);
    for (const place of encoded.truncated) truncated.add(classOf[place]!);
    return encoded.features;
  });
  return { directions, truncated };
}
