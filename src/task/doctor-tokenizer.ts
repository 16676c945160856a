import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import {
  compareTokenizer,
  type TokenizerComparison,
  type TokenizerFiles,
  type TokenizerReference,
} from "../input/text/index.js";
import { CliptError, messageOf, readError } from "../tensor/index.js";
import { file, words } from "./fields.js";
import { readJson } from "../train/data/text-file.js";
import { defineTask } from "./task.js";

export const doctorTokenizer = defineTask({
  name: "doctor tokenizer",
  details:
    "The reference holds texts, each with the ids that published tokenizers make of it (clip_bpe.json, siglip_tokens.json). Ids must be equal. Of a folder with model folders in it, every tokenizer that the reference has results for is compared.",
  input: z.object({
    path: words(
      "Vocabulary file (tokenizer.json, spiece.model, bpe_simple_vocab_16e6.txt.gz), or a folder with one or with model folders",
    ),
    reference: file("Texts with their ids, JSON"),
  }),
  output: z.object({
    ok: z.boolean(),
    compared: z.number(),
    differences: z.number(),
    fields: z.record(z.string(), z.number()).describe("Texts compared, by field of the reference"),
    different: z.array(
      z.object({ text: z.string(), what: z.string(), expected: z.unknown(), got: z.unknown() }),
    ),
    tokenizers: z.array(
      z.object({
        path: z.string(),
        fields: z.array(z.string()).describe("Of the reference: a folder may hold two tokenizers"),
        ok: z.boolean(),
        compared: z.number(),
        differences: z.number(),
        error: z.string().optional(),
      }),
    ),
  }),
  positional: ["path"],
  examples: [
    {
      title: "CLIP's published vocabulary",
      input: { path: "bpe_simple_vocab_16e6.txt.gz", reference: "clip_bpe.json" },
    },
    {
      title: "The tokenizers of all models of a folder",
      input: { path: "models", reference: "siglip_tokens.json" },
    },
  ],
  passed: ({ ok }) => ok,
  async run({ path, reference }) {
    const expected = await readJson(reference);
    if (!Array.isArray((expected as Partial<TokenizerReference> | null)?.texts))
      throw new CliptError("format", `${reference} holds no list of "texts".`);
    const reports: (TokenizerComparison & { path: string; error?: string })[] = [];
    for (const place of await vocabularies(path)) {
      const report = await compare(place, expected as TokenizerReference);
      if (report !== undefined) reports.push({ path: place, ...report });
    }
    if (reports.length === 0)
      throw new CliptError("missing", `${reference} holds no results for a tokenizer in ${path}.`);
    const sum = (count: (report: TokenizerComparison) => number) =>
      reports.reduce((total, report) => total + count(report), 0);
    return {
      ok: reports.every(({ ok }) => ok),
      compared: sum(({ compared }) => compared),
      differences: sum(({ differences }) => differences),
      fields: Object.assign({}, ...reports.map(({ fields }) => fields)) as Record<string, number>,
      different: reports.flatMap(({ different }) => different),
      tokenizers: reports.map(({ path, fields, ok, compared, differences, error }) => ({
        path,
        fields: Object.keys(fields),
        ok,
        compared,
        differences,
        ...(error === undefined ? {} : { error }),
      })),
    };
  },
});

/** Undefined where the reference knows nothing of this kind of tokenizer; one that does not open has failed. */
async function compare(
  path: string,
  reference: TokenizerReference,
): Promise<(TokenizerComparison & { error?: string }) | undefined> {
  try {
    return compareTokenizer(await readVocabulary(path), reference);
  } catch (error) {
    if (error instanceof CliptError && error.code === "missing") return undefined;
    return { ok: false, compared: 0, differences: 0, different: [], fields: {}, error: messageOf(error) };
  }
}

/** The path itself; of a folder also the folders in it that hold a vocabulary. @throws `missing`, `io` */
async function vocabularies(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const found = [path];
    for (const entry of (await readdir(path, { withFileTypes: true })).filter((entry) =>
      entry.isDirectory(),
    )) {
      const names = await readdir(join(path, entry.name));
      if (names.some((name) => /^(tokenizer|vocab)\.json$|\.model$|bpe.*\.txt(\.gz)?$/.test(name)))
        found.push(join(path, entry.name));
    }
    return found.sort();
  } catch (cause) {
    throw readError(path, cause);
  }
}

/** A vocabulary's files by name, unpacked. @throws `missing`, `io` */
async function readVocabulary(path: string): Promise<TokenizerFiles> {
  if (!(await stat(path)).isDirectory()) return Object.fromEntries([await readEntry(path)]);
  const names = (await readdir(path)).filter((name) => /\.(json|txt|model)(\.gz)?$/.test(name));
  return Object.fromEntries(await Promise.all(names.map((name) => readEntry(join(path, name)))));
}

async function readEntry(path: string): Promise<[string, Uint8Array]> {
  const bytes = await readFile(path);
  return path.endsWith(".gz") ? [basename(path, ".gz"), gunzipSync(bytes)] : [basename(path), bytes];
}
