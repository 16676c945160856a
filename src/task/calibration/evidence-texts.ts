import { existsSync } from "node:fs";
import { join } from "node:path";
import type { EncoderModel } from "../../model/index.js";
import { plainTemplate, readTemplates } from "../../train/data/labels.js";
import { bareQuery } from "./bare-query.js";

/** A name has no more words than this. */
const nameWords = 3;
/** Sentences that a name is put into; more of them say nothing new. */
const sentences = 5;

/** How a query is judged. */
export interface EvidenceTexts {
  /** The texts whose mean direction stands for the query. */
  readonly texts: readonly string[];
  /** What it looks for, without words that only say that it is a picture. */
  readonly bare: string;
}

/** A bare name says more when it is put into sentences, too. A sentence stands for itself. */
export async function evidenceTexts(query: string, model: EncoderModel): Promise<EvidenceTexts> {
  const bare = bareQuery(query);
  const isName = !/[.!?,;:。！？，]/.test(bare) && bare.split(/\s+/).length <= nameWords && spaced.test(bare);
  if (!isName) return { texts: [...new Set([query, bare])], bare };
  const templates = await templatesOf(model, /\p{Script=Cyrillic}/u.test(bare) ? "ru" : "en");
  const inSentences = templates.slice(0, sentences).map((template) => template.replaceAll("{c}", bare));
  return { texts: [bare, ...inSentences], bare };
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
