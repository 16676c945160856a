import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { toMergesTxt, toTokenizerJson, toVocabJson, trainBpe } from "../input/text/index.js";
import { CliptError } from "../tensor/index.js";
import { openSource } from "../train/data/index.js";
import { numberedLines } from "../train/data/text-file.js";
import { replaceFile } from "../weights/index.js";
import { reportTo } from "./evaluate.js";
import { count, folder, list } from "./fields.js";
import { defineTask, type Context } from "./task.js";

export const tokenizerTrain = defineTask({
  name: "tokenizer train",
  details:
    "Learns byte-level pieces in CLIP's manner from texts of any language, cleaned as `clipt train` cleans them. The folder is what --tokenizer takes; write the number of tokens into the new model's text_cfg as vocab_size.",
  input: z.object({
    texts: list(
      "FILE",
      "Text files (.txt, one text a line), or data sets with captions: archives, tables, folders",
    ),
    captions: list("FILE", "Further captions of the data sets' pictures by key, JSON lines").optional(),
    vocabSize: z
      .int()
      .min(514)
      .default(49408)
      .meta({ description: "Tokens in all: 512 for bytes, start and end, pieces", placeholder: "N" }),
    minFrequency: count("How often a pair must occur to become a piece").default(2),
    out: folder("Folder to write: tokenizer.json, vocab.json, merges.txt"),
  }),
  output: z.object({
    out: z.string(),
    tokens: z.number(),
    texts: z.number().describe("Texts that it was learnt from"),
  }),
  positional: ["texts"],
  examples: [
    {
      title: "8,192 tokens of the captions that a model will be trained on",
      input: { texts: ["pairs-{000..009}.tar"], vocabSize: 8192, out: "tokenizer" },
    },
    {
      title: "Of texts one a line, and of captions in other languages",
      input: {
        texts: ["texts.txt", "pairs.csv"],
        captions: ["captions.ru.jsonl"],
        vocabSize: 16384,
        out: "tokenizer",
      },
    },
  ],
  async run({ texts: from, captions, vocabSize, minFrequency, out }, context) {
    if (captions !== undefined && from.every(isText))
      throw new CliptError("usage", "captions: belong to pictures; give a data set, too.");
    const texts: string[] = [];
    for (const path of from) {
      for await (const text of textsOf(path, captions, context)) {
        texts.push(text);
        if (texts.length % 1000 === 0) context.emit({ kind: "progress", stage: "texts", done: texts.length });
      }
    }
    if (texts.length === 0) throw new CliptError("input", `${from.join(", ")}: there is no text.`);
    context.signal.throwIfAborted();
    // `clipt train` cleans texts of a new model in this way.
    const vocabulary = trainBpe(texts, { vocabSize, minFrequency, cleaning: "clip" });
    const tokens = vocabulary.tokens.length;
    if (tokens < vocabSize)
      context.emit({
        kind: "warning",
        message: `The texts give ${tokens} tokens only: no other pair occurs ${minFrequency} times.`,
      });
    await mkdir(out, { recursive: true });
    for (const [name, text] of [
      ["tokenizer.json", `${JSON.stringify(toTokenizerJson(vocabulary), undefined, 1)}\n`],
      ["vocab.json", toVocabJson(vocabulary)],
      ["merges.txt", toMergesTxt(vocabulary)],
    ] as const)
      await replaceFile(join(out, name), [new TextEncoder().encode(text)]);
    return { out, tokens, texts: texts.length };
  },
});

const isText = (path: string): boolean => /\.txt(\.gz)?$/i.test(path);

/** The lines of a text file, or the captions of a data set. */
async function* textsOf(
  path: string,
  captions: readonly string[] | undefined,
  context: Context,
): AsyncGenerator<string> {
  if (isText(path)) {
    for await (const { line } of numberedLines(path)) yield line;
    return;
  }
  const { shards } = await openSource(path, captions === undefined ? {} : { captions });
  for (const shard of shards)
    for await (const sample of shard.samples(reportTo(context))) {
      context.signal.throwIfAborted();
      for (const { text } of sample.captions) yield text;
    }
}
