import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CliptError, readError, type Random } from "../../tensor/index.js";

/** What the class numbers of a data set mean, in one language. */
export interface LabelSet {
  /** Names of each class by its number, the best first; at least one each. */
  readonly names: readonly (readonly string[])[];
  /** Sentences with `{c}` in the place of the name; at least one. */
  readonly templates: readonly string[];
  readonly language?: string;
}

/** Used where a data set brings no templates. */
export const plainTemplate = "a photo of a {c}.";

/**
 * Reads `classnames.txt` (line N is class N − 1, synonyms separated by commas, the best first) and templates (one a line).
 *
 * @throws `missing`, `io`; `format` for a class without a name or a template without `{c}`
 */
export async function readLabelSet(files: {
  readonly classnames: string;
  readonly templates?: string;
  readonly language?: string;
}): Promise<LabelSet> {
  const { classnames, templates, language } = files;
  const names = (await readList(classnames)).map((line, i) => {
    const synonyms = line
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
    if (synonyms.length === 0)
      throw new CliptError("format", `${classnames}, line ${i + 1}: class ${i} has no name.`);
    return synonyms;
  });
  const sentences = templates === undefined ? [plainTemplate] : await readTemplates(templates);
  return { names, templates: sentences, ...(language === undefined ? {} : { language }) };
}

/**
 * Reads sentences with `{c}` in the place of a class name, one a line.
 *
 * @throws `missing`, `io`; `format` for a sentence without `{c}`
 */
export async function readTemplates(path: string): Promise<string[]> {
  const sentences = await readList(path);
  for (const [i, sentence] of sentences.entries())
    if (!sentence.includes("{c}"))
      throw new CliptError(
        "format",
        `${path}, line ${i + 1}: expected {c} in the place of the class name, got "${sentence}".`,
      );
  return sentences;
}

/** The files of a label set that lie in a data set's folder, by the names that CLIP_benchmark gives them. */
export function findLabelFiles(folder: string): {
  readonly classnames?: string;
  readonly templates?: string;
} {
  const classnames = join(folder, "classnames.txt");
  const templates = join(folder, "zeroshot_classification_templates.txt");
  return {
    ...(existsSync(classnames) ? { classnames } : {}),
    ...(existsSync(templates) ? { templates } : {}),
  };
}

/** The lines of a file; the empty ones at its end don't count. */
async function readList(path: string): Promise<string[]> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw readError(path, error);
  });
  const lines = text
    .replace(/^\uFEFF/, "")
    .trimEnd()
    .split(/\r?\n/);
  if (lines.join("") === "") throw new CliptError("format", `${path} is empty.`);
  return lines;
}

/** A template with a name in its place. */
export const prompt = (template: string, name: string): string => template.replaceAll("{c}", name);

/** The sentences of each class for a zero-shot head: its `most` best names, each in every template. */
export const promptsOf = ({ names, templates }: LabelSet, most = 1): string[][] =>
  names.map((synonyms) =>
    synonyms.slice(0, most).flatMap((name) => templates.map((template) => prompt(template, name))),
  );

/**
 * Names of a class.
 *
 * @throws `input` when the set has no such class
 */
export function namesOf(set: LabelSet, label: number): readonly string[] {
  const names = set.names[label];
  if (names === undefined)
    throw new CliptError(
      "input",
      `Class ${label} is unknown: the class names go from 0 to ${set.names.length - 1}.`,
    );
  return names;
}

/** One of a class's names in one of the templates. */
export function drawPrompt(set: LabelSet, label: number, rng: Random): string {
  const names = namesOf(set, label);
  const template = set.templates[rng.int(set.templates.length)] ?? plainTemplate;
  return prompt(template, names[rng.int(names.length)] ?? "");
}
