import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { compareTokenizer, type TokenizerFiles, type TokenizerReference } from "../input/text/index.js";
import { CliptError, readError } from "../tensor/index.js";
import { file, words } from "./fields.js";
import { readJson } from "../train/data/text-file.js";
import { defineTask } from "./task.js";

export const doctorTokenizer = defineTask({
  name: "doctor tokenizer",
  details:
    "The reference holds texts, each with the ids that published tokenizers make of it (clip_bpe.json, siglip_tokens.json). Ids must be equal.",
  input: z.object({
    path: words(
      "Vocabulary file (tokenizer.json, spiece.model, bpe_simple_vocab_16e6.txt.gz), or a folder with one",
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
  }),
  positional: ["path"],
  examples: [
    {
      title: "CLIP's published vocabulary",
      input: { path: "bpe_simple_vocab_16e6.txt.gz", reference: "clip_bpe.json" },
    },
  ],
  passed: ({ ok }) => ok,
  async run({ path, reference }) {
    const expected = await readJson(reference);
    if (!Array.isArray((expected as Partial<TokenizerReference> | null)?.texts))
      throw new CliptError("format", `${reference} holds no list of "texts".`);
    const report = compareTokenizer(await readVocabulary(path), expected as TokenizerReference);
    return { ...report, fields: { ...report.fields }, different: [...report.different] };
  },
});

/** A vocabulary's files by name, unpacked. @throws `missing`, `io` */
async function readVocabulary(path: string): Promise<TokenizerFiles> {
  try {
    if (!(await stat(path)).isDirectory()) return Object.fromEntries([await readEntry(path)]);
    const names = (await readdir(path)).filter((name) => /\.(json|txt|model)(\.gz)?$/.test(name));
    return Object.fromEntries(await Promise.all(names.map((name) => readEntry(join(path, name)))));
  } catch (cause) {
    throw readError(path, cause);
  }
}

async function readEntry(path: string): Promise<[string, Uint8Array]> {
  const bytes = await readFile(path);
  return path.endsWith(".gz") ? [basename(path, ".gz"), gunzipSync(bytes)] : [basename(path), bytes];
}
