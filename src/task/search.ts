import { existsSync, statSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { z } from "zod";
import type { Encoder } from "../model/index.js";
import { CliptError } from "../tensor/index.js";
import { isPicture } from "../train/data/sample.js";
import { readLines } from "../train/data/text-file.js";
import { answerSchema, pageFields, showAnswer } from "./collection/answer-fields.js";
import { openIndexed, type Collection } from "./collection/collection.js";
import { collectionOf } from "./collection/from-embeddings.js";
import { parseQuery, printQuery } from "./collection/parse-query.js";
import { askAll } from "./collection/query.js";
import type { QueryPart } from "./collection/query-part.js";
import { exactField } from "./decoding.js";
import { requireIdentity, type Embeddings } from "./embeddings/embeddings.js";
import { isEmbeddingsFile, readEmbeddings } from "./embeddings/file.js";
import { folderEmbeddings } from "./embeddings/folder-embeddings.js";
import { file, flag, modelFields, words } from "./fields.js";
import type { ModelChoice } from "./services.js";
import { defineTask, type Context } from "./task.js";

const result = z.object({
  query: z.string(),
  understood: z.string().optional().describe("How a query of several parts was read"),
  ...answerSchema.shape,
});

export const search = defineTask({
  name: "search",
  details:
    "The folder's embeddings are kept in the user's cache folder, stamped with the model's identity: the next search encodes new and changed pictures only. A file made by `clipt embed` may stand in the folder's place. Without a folder, the index of `clipt index` is searched.\n\nA query may have several parts with signs, and say \"beach without people\" in English, Russian, German, French or Chinese: docs/the-index.md.",
  input: z.object({
    query: words(
      'What to look for: a description, the path of a picture, or several: "beach" + dog.jpg - "people"',
    ).optional(),
    folder: words(
      "Folder with pictures, searched to any depth, or a file of embeddings; what `clipt index` made when it is left out",
    ).optional(),
    queries: file("File with one query a line, instead of QUERY").optional(),
    ...pageFields,
    cache: flag("Encode all pictures again and keep nothing").default(true),
    exact: exactField,
    ...modelFields,
  }),
  output: z.union([result, z.array(result)]),
  positional: ["query", "folder"],
  examples: [
    { title: "By description", input: { query: "a dog running through snow", folder: "photos" } },
    { title: "By a picture, the three best", input: { query: "cat.jpg", folder: "photos", k: 3 } },
    { title: "Without something", input: { query: "a beach without people" } },
    { title: "In the index", input: { query: "a dog", where: "taken >= 2020-06-01" } },
    {
      title: "Many queries over embeddings made before",
      input: { queries: "queries.txt", folder: "photos.safetensors" },
    },
  ],
  async run(input, context) {
    const { queries: list, folder } = placed(input);
    const texts = list === undefined ? [input.query ?? ""] : await readLines(list);
    if (texts.length === 0) throw new CliptError("input", `${list} holds no query.`);
    if (texts.some((text) => text.trim() === "")) throw new CliptError("input", "The query is empty.");
    const single = list === undefined;
    const found = await (folder === undefined
      ? openIndexed(input, context.services)
      : inFolder(folder, input, context));
    try {
      const marks =
        folder === undefined ? { like: await idsOf(input.like), dislike: await idsOf(input.dislike) } : {};
      const parts = texts.map(partsOf);
      const queries = parts.map((parts) => ({ ...input, ...marks, parts }));
      const answers = (await askAll(found, queries, context)).map((answer, i) => ({
        query: texts[i]!,
        ...understood(parts[i]!),
        ...showAnswer(answer),
      }));
      return single ? answers[0]! : answers;
    } finally {
      await found.close();
    }
  },
});

/** With `queries`, the only word is the folder; an index needs none. */
function placed({ query, folder, queries }: { [K in "query" | "folder" | "queries"]?: string | undefined }): {
  folder: string | undefined;
  queries: string | undefined;
} {
  if (queries === undefined && query !== undefined) return { folder, queries };
  if (queries !== undefined && (query === undefined || folder === undefined))
    return { folder: folder ?? query, queries };
  throw new CliptError(
    "usage",
    "Give a query and a folder, or --queries FILE and a folder; without a folder, the index is searched.",
  );
}

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();
/** A name with a picture's ending is meant as one: that it is not there shall be said. */
const namesPicture = (part: string): boolean => isPicture(part) || isFile(part);

/** A file's name may hold signs. */
const partsOf = (query: string): QueryPart[] =>
  isFile(query) ? [{ picture: query, weight: 1 }] : parseQuery(query, namesPicture);

/** What was read out of a query that is not one plain text. */
function understood(parts: readonly QueryPart[]): { understood?: string } {
  const [first] = parts;
  const plain = parts.length === 1 && first?.weight === 1;
  return plain ? {} : { understood: printQuery(parts) };
}

/** An index knows pictures by their real paths. */
const idsOf = async (paths: readonly string[] = []): Promise<string[]> =>
  Promise.all(paths.map((path) => realpath(path).catch(() => path)));

type Input = ModelChoice & {
  readonly db?: string | undefined;
  readonly where?: string | undefined;
  readonly sort: "score" | "newest" | "oldest";
  readonly exact: boolean;
  readonly cache: boolean;
};

async function inFolder(path: string, input: Input, context: Context): Promise<Collection> {
  if (input.where !== undefined || input.sort !== "score")
    throw new CliptError(
      "usage",
      "Conditions and dates need an index: leave the folder out, and run `clipt index` before.",
    );
  const opening = context.services.encoder(input);
  opening.catch(() => {});
  return collectionOf(await embeddingsOf(path, opening, input, context), await opening);
}

async function embeddingsOf(
  path: string,
  opening: Promise<Encoder>,
  options: { exact: boolean; cache: boolean },
  context: Context,
): Promise<Embeddings> {
  if (!isEmbeddingsFile(path) || (existsSync(path) && statSync(path).isDirectory()))
    return folderEmbeddings(path, opening, options, context);
  const [embeddings, encoder] = await Promise.all([readEmbeddings(path), opening]);
  requireIdentity(path, embeddings.identity, encoder.model);
  return embeddings;
}
