import { existsSync, statSync } from "node:fs";
import { z } from "zod";
import type { Encoder } from "../model/index.js";
import { topK } from "../score/index.js";
import { CliptError, type Tensor } from "../tensor/index.js";
import { isPicture } from "../train/data/sample.js";
import { dbField, openCollection, requireIndexed } from "./collection/collection.js";
import { parseQuery } from "./collection/parse-query.js";
import { ask } from "./collection/query.js";
import type { QueryPart } from "./collection/query-part.js";
import { exactField } from "./decoding.js";
import { requireIdentity, rowsOf, stackVectors, type Embeddings } from "./embeddings/embeddings.js";
import { isEmbeddingsFile, readEmbeddings } from "./embeddings/file.js";
import { folderEmbeddings } from "./embeddings/folder-embeddings.js";
import { encodePicture } from "./encode-picture.js";
import { encodeTexts } from "./encode-texts.js";
import { count, file, flag, modelFields, words } from "./fields.js";
import { readLines } from "../train/data/text-file.js";
import { defineTask, type Context } from "./task.js";

const result = z.object({
  query: z.string(),
  results: z
    .array(
      z.object({
        path: z.string(),
        score: z.number(),
        fields: z
          .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
          .optional()
          .describe("What an index knows of the picture"),
      }),
    )
    .describe("Best first; cosines"),
});

export const search = defineTask({
  name: "search",
  details:
    "The folder's embeddings are kept in the user's cache folder, stamped with the model's identity: the next search encodes new and changed pictures only. A file made by `clipt embed` may stand in the folder's place. Without a folder, the index of `clipt index` is searched.",
  input: z.object({
    query: words("What to look for: a description, or the path of a picture").optional(),
    folder: words(
      "Folder with pictures, searched to any depth, or a file of embeddings; what `clipt index` made when it is left out",
    ).optional(),
    db: dbField,
    where: words("Condition on an index's pictures: taken >= 2020-06-01 and camera contains X100").optional(),
    queries: file("File with one query a line, instead of QUERY").optional(),
    k: count("Results for each query").default(10),
    cache: flag("Encode all pictures again and keep nothing").default(true),
    exact: exactField,
    ...modelFields,
  }),
  output: z.union([result, z.array(result)]),
  positional: ["query", "folder"],
  examples: [
    { title: "By description", input: { query: "a dog running through snow", folder: "photos" } },
    { title: "By a picture, the three best", input: { query: "cat.jpg", folder: "photos", k: 3 } },
    { title: "In the index", input: { query: "a dog", where: "taken >= 2020-06-01" } },
    {
      title: "Many queries over embeddings made before",
      input: { queries: "queries.txt", folder: "photos.safetensors" },
    },
  ],
  async run(input, context) {
    const { queries: list, folder } = placed(input);
    const opening = context.services.encoder(input);
    opening.catch(() => {});
    const texts = list === undefined ? [input.query ?? ""] : await readLines(list);
    if (texts.length === 0) throw new CliptError("input", `${list} holds no query.`);
    if (texts.some((text) => text.trim() === "")) throw new CliptError("input", "The query is empty.");
    if (folder === undefined) return inIndex(texts, list === undefined, input, context);
    if (input.where !== undefined)
      throw new CliptError(
        "usage",
        "A condition needs an index: leave the folder out, and run `clipt index` before.",
      );
    const [found, queries] = await Promise.all([
      collection(folder, opening, input, context),
      encodeQueries(texts, opening, input.exact, context),
    ]);
    const answers = topK(queries, found.vectors, input.k).map((hits, i) => ({
      query: texts[i] ?? "",
      results: hits.map(({ index, score }) => ({ path: found.items[index] ?? "", score })),
    }));
    const [answer] = answers;
    return list === undefined && answer !== undefined ? answer : answers;
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

async function inIndex(
  texts: readonly string[],
  single: boolean,
  input: { db?: string | undefined; k: number; where?: string | undefined; exact: boolean },
  context: Context,
): Promise<z.output<typeof result> | z.output<typeof result>[]> {
  const { k, where, exact } = input;
  const found = await openCollection(input, context.services);
  try {
    await requireIndexed(found);
    const answers = [];
    for (const query of texts) {
      const { results } = await ask(found, { parts: partsOf(query), k, where, exact }, context);
      answers.push({ query, results: results.map(({ id, score, fields }) => ({ path: id, score, fields })) });
    }
    return single ? answers[0]! : answers;
  } finally {
    await found.close();
  }
}

async function collection(
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

/** [queries, dim]; those that name a file are encoded as a picture, all others as texts. */
async function encodeQueries(
  queries: readonly string[],
  opening: Promise<Encoder>,
  exact: boolean,
  context: Context,
): Promise<Tensor<"float32">> {
  const encoder = await opening;
  const texts = queries.filter((query) => !namesPicture(query));
  const rows = new Map<string, Float32Array>();
  if (texts.length > 0)
    for (const [i, row] of rowsOf(await encodeTexts(texts, encoder, context)).entries())
      rows.set(texts[i] ?? "", row);
  for (const path of queries.filter(namesPicture))
    rows.set(path, await encodePicture(path, encoder, exact, context));
  return stackVectors(queries.flatMap((query) => rows.get(query) ?? []));
}
