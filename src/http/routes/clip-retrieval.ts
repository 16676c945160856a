import { z } from "zod";
import { find } from "../../task/collection/find.js";
import { ask } from "../../task/collection/query.js";
import type { Fields } from "../../store/index.js";
import { CliptError } from "../../tensor/index.js";
import { defineRoute, type Call, type Route } from "../route.js";
import type { Serving } from "../serving.js";

const chapter = "clip-retrieval";

/** What the one index is called. */
const indexName = "clipt";

const metadata = z.object({
  url: z.string().describe("Of the picture's file, on this server"),
  image_path: z.string(),
  caption: z.string().describe("The file's name: an index of pictures has no captions"),
});

const knnInput = (limits: Serving["limits"]) =>
  z.object({
    text: z.string().max(limits.textLength).nullish(),
    image: z.string().nullish().describe("base64"),
    image_url: z.string().nullish(),
    embedding_input: z.array(z.number()).max(10_000).nullish().describe("A vector of the served model"),
    num_images: z.int().min(1).max(1000).default(100),
    num_result_ids: z.int().min(1).nullish().describe("The same as num_images here"),
    indice_name: z.string().nullish().describe(`"${indexName}"`),
    modality: z.enum(["image", "text"]).nullish().describe("The index holds pictures only"),
    deduplicate: z.boolean().nullish().describe("Leaves out files that are equal to one before"),
    use_mclip: z.boolean().nullish().describe("Ignored: the served model is the one that is used"),
    use_safety_model: z.boolean().nullish().describe("Ignored: nothing is judged"),
    use_violence_detector: z.boolean().nullish().describe("Ignored: nothing is judged"),
    aesthetic_score: z.union([z.number(), z.string()]).nullish().describe("Ignored"),
    aesthetic_weight: z.union([z.number(), z.string()]).nullish().describe("Ignored"),
  });

/** The interface of clip-retrieval's server (`clip-retrieval back`), whose client works with it. */
export function clipRetrievalRoutes({ limits, collection: { store } }: Serving): Route[] {
  return [
    defineRoute({
      method: "get",
      path: "/indices-list",
      chapter,
      summary: "Names of the indexes",
      input: z.object({}),
      output: z.array(z.string()),
      run: () => [indexName],
    }),
    defineRoute({
      method: "post",
      path: "/knn-service",
      chapter,
      summary: "Pictures that a text, a picture or a vector finds",
      input: knnInput(limits),
      output: z.array(metadata.extend({ id: z.string(), similarity: z.number() })),
      works: true,
      async run(input, call) {
        checkIndex(input.indice_name);
        const hits = await search(input, call);
        const kept = input.deduplicate === true ? withoutCopies(hits) : hits;
        return kept
          .slice(0, input.num_images)
          .map(({ id, score, fields }) => ({ ...metadataOf(id, fields, call), id, similarity: score }));
      },
    }),
    defineRoute({
      method: "post",
      path: "/metadata",
      chapter,
      summary: "What is known of results",
      input: z.object({ ids: z.array(z.string()).max(1000), indice_name: z.string().nullish() }),
      output: z.array(z.object({ id: z.string(), metadata })),
      async run({ ids, indice_name }, call) {
        checkIndex(indice_name);
        const items = await store.get(ids);
        return items.flatMap((item) =>
          item === undefined ? [] : [{ id: item.id, metadata: metadataOf(item.id, item.fields, call) }],
        );
      },
    }),
  ];
}

interface Found {
  readonly id: string;
  readonly score: number;
  readonly fields: Fields;
}

async function search(
  { text, image, image_url, embedding_input, num_images }: z.output<ReturnType<typeof knnInput>>,
  { collection, context, picture }: Call,
): Promise<readonly Found[]> {
  // Some more, for those that are left out as copies.
  const k = 2 * num_images;
  if (text != null) return (await ask(collection, { parts: [{ text, weight: 1 }], k }, context)).results;
  const reference = image ?? image_url;
  if (reference != null) {
    const { bytes } = await picture(reference);
    return (await ask(collection, { parts: [{ picture: bytes, weight: 1 }], k }, context)).results;
  }
  if (embedding_input != null) return find(collection, Float32Array.from(embedding_input), { k });
  throw new CliptError("usage", "Give one of text, image, image_url and embedding_input.");
}

function withoutCopies(hits: readonly Found[]): Found[] {
  const seen = new Set<unknown>();
  return hits.filter(({ id, fields }) => {
    const content = fields["hash"] ?? id;
    return !seen.has(content) && seen.add(content);
  });
}

const metadataOf = (id: string, fields: Fields, { headers }: Call) => ({
  url: `http://${headers.host ?? "localhost"}/api/file?${new URLSearchParams({ id }).toString()}`,
  image_path: id,
  caption: typeof fields["name"] === "string" ? fields["name"] : "",
});

function checkIndex(name: string | null | undefined): void {
  if (name != null && name !== indexName)
    throw new CliptError(
      "missing",
      `There is no index ${JSON.stringify(name)}; this one is called "${indexName}".`,
    );
}
