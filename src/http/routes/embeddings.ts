import { basename } from "node:path";
import { z } from "zod";
import { rowsOf } from "../../task/embeddings/embeddings.js";
import { encodePicture } from "../../task/encode-picture.js";
import { encodeTexts } from "../../task/encode-texts.js";
import { CliptError } from "../../tensor/index.js";
import { defineRoute, type Call, type Route } from "../route.js";
import { pictureField } from "../schemas.js";
import type { Serving } from "../serving.js";

const chapter = "Embeddings";

/** Vectors of texts and pictures in the shapes of OpenAI's and Jina's services, whose clients work with it. */
export function embeddingRoutes({ collection: { encoder, identity }, limits }: Serving): Route[] {
  const { model } = encoder;
  const name = basename(model.path);
  const text = z.string().min(1, "must not be empty").max(limits.textLength);
  const item = z.union(
    [text, z.object({ text }), z.object({ image: pictureField("A picture") })],
    'must be a text, {"text": …} or {"image": …}',
  );
  const { embedDim } = model.config;

  return [
    defineRoute({
      method: "get",
      path: "/v1/models",
      chapter,
      summary: "The model that makes the vectors, as OpenAI lists models",
      input: z.object({}),
      output: z.object({
        object: z.literal("list"),
        data: z.array(z.object({ id: z.string(), object: z.literal("model"), owned_by: z.string() })),
      }),
      run: () => ({ object: "list", data: [{ id: name, object: "model", owned_by: "clipt" }] }),
    }),
    defineRoute({
      method: "post",
      path: "/v1/embeddings",
      chapter,
      summary: "Vectors of texts and pictures, in OpenAI's and Jina's shape",
      description:
        "Vectors have length 1, and those of pictures and texts compare. Fewer dimensions are the first ones, brought to length 1 again: useful with models that were trained for it.",
      input: z.object({
        model: z
          .string()
          .optional()
          .describe(`${name}; others are refused, since their vectors do not compare`),
        input: z
          .union([text, z.array(item).min(1, "needs at least one").max(limits.items)])
          .describe('A text, or a list of texts, {"text": …} and {"image": …}'),
        encoding_format: z.enum(["float", "base64"]).optional().describe("base64: little-endian float32"),
        embedding_type: z.enum(["float", "base64"]).optional().describe("Jina's word for encoding_format"),
        dimensions: z.int().min(1).max(embedDim).optional(),
      }),
      output: z.object({
        object: z.literal("list"),
        model: z.string(),
        data: z.array(
          z.object({
            object: z.literal("embedding"),
            index: z.int(),
            embedding: z.union([z.array(z.number()), z.string()]),
            truncated: z
              .literal(true)
              .optional()
              .describe("The text is longer than the model reads; its end was left out"),
          }),
        ),
        usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
      }),
      works: true,
      cost: ({ input }) => (Array.isArray(input) ? input.length : 1),
      async run({ model: asked, input, encoding_format, embedding_type, dimensions = embedDim }, call) {
        if (asked !== undefined && ![name, identity, "clipt"].includes(asked))
          throw new CliptError(
            "missing",
            `The model ${JSON.stringify(asked)} is not served here; ${name} is.`,
          );
        const items = [input].flat().map((one) => (typeof one === "string" ? { text: one } : one));
        const vectors = await vectorsOf(items, call);
        const tokens = items.reduce(
          (sum, one) => sum + ("text" in one ? model.tokenizer.encode(one.text).ids.length : 0),
          0,
        );
        const packed = (encoding_format ?? embedding_type) === "base64";
        return {
          object: "list",
          model: name,
          data: vectors.map(({ vector, truncated }, index) => {
            const short = shortened(vector, dimensions);
            return {
              object: "embedding",
              index,
              embedding: packed ? base64(short) : [...short],
              ...(truncated && { truncated }),
            };
          }),
          usage: { prompt_tokens: tokens, total_tokens: tokens },
        };
      },
    }),
  ];
}

type Item = { readonly text: string } | { readonly image: string };

interface Embedded {
  readonly vector: Float32Array;
  /** Whether it is of a text whose end was left out. */
  readonly truncated: boolean;
}

async function vectorsOf(
  items: readonly Item[],
  { collection, context, picture }: Call,
): Promise<Embedded[]> {
  const { encoder } = collection;
  const texts = items.flatMap((item) => ("text" in item ? [item.text] : []));
  const encode = async (): Promise<Embedded[]> => {
    if (texts.length === 0) return [];
    const { features, truncated } = await encodeTexts(texts, encoder, context);
    return rowsOf(features).map((vector, i) => ({ vector, truncated: truncated.includes(i) }));
  };
  const encodeOne = async (reference: string): Promise<Embedded> => {
    const { bytes } = await picture(reference);
    return { vector: await encodePicture(bytes, encoder, false, context), truncated: false };
  };
  const [rows, pictures] = await Promise.all([
    encode(),
    Promise.all(items.flatMap((item) => ("image" in item ? [encodeOne(item.image)] : []))),
  ]);
  let [text, image] = [0, 0];
  return items.map((item) => ("text" in item ? rows[text++]! : pictures[image++]!));
}

function shortened(vector: Float32Array, dimensions: number): Float32Array {
  if (dimensions === vector.length) return vector;
  const cut = vector.subarray(0, dimensions);
  const length = Math.hypot(...cut);
  return length > 0 ? cut.map((value) => value / length) : cut;
}

const base64 = (vector: Float32Array): string =>
  // A copy: a row may be a view into many.
  Buffer.from(vector.slice().buffer).toString("base64");
