import { existsSync } from "node:fs";
import { join } from "node:path";
import type { EncoderModel } from "../../model/index.js";
import { plainTemplate, readTemplates } from "../../train/data/labels.js";

/** A name has no more words than this. */
const nameWords = 3;
/** Sentences that a name is put into; more of them say nothing new. */
const sentences = 5;

/**
 * The texts whose mean direction stands for a query when it is judged: a bare name says more when it is put into sentences, too.
 * A sentence stands for itself.
 */
export async function evidenceTexts(query: string, model: EncoderModel): Promise<string[]> {
  const name = query.trim().replace(/^(an?|the)\s+/i, "");
  const isName = !/[.!?,;:。！？，]/.test(name) && name.split(/\s+/).length <= nameWords && spaced.test(name);
  if (!isName) return [query];
  const templates = await templatesOf(model, /\p{Script=Cyrillic}/u.test(name) ? "ru" : "en");
  return [query, ...templates.slice(0, sentences).map((template) => template.replaceAll("{c}", name))];
}

/** Scripts that the templates are written in, or go with. */
const spaced = /[\p{Script=Latin}\p{Script=Cyrillic}]/u;

const known = new Map<string, Promise<readonly string[]>>();

function templatesOf({ path }: EncoderModel, language: "en" | "ru"): Promise<readonly string[]> {
  const file = join(path, `templates.${language}.txt`);
  const found =
    known.get(file) ??
    (existsSync(file) ? readTemplates(file) : Promise.resolve(language === "en" ? [plainTemplate] : []));
  known.set(file, found);
  found.catch(() => known.delete(file));
  return found;
}
