import { z } from "zod";
import { CliptError } from "../tensor/index.js";
import { decoding, exactField } from "./decoding.js";
import { stackVectors, type Embeddings } from "./embeddings/embeddings.js";
import { formatOf, writeEmbeddings } from "./embeddings/file.js";
import { encodePictures } from "./encode-pictures.js";
import { encodeTexts } from "./encode-texts.js";
import { file, list, modelFields } from "./fields.js";
import { readLines } from "../train/data/text-file.js";
import { findPictures, sampleOf } from "./find-pictures.js";
import { defineTask, type Context } from "./task.js";
import type { Encoder } from "../model/index.js";

export const embed = defineTask({
  name: "embed",
  details:
    "The file carries the model's identity, so that vectors of different models are never mixed. `clipt search` takes it in place of a folder.",
  input: z.object({
    pictures: list("PICTURE", "Pictures, or folders that are searched to any depth").optional(),
    texts: file("Texts to embed instead, one a line").optional(),
    out: file("File to write: .safetensors, .npy (with .npy.json beside it) or .jsonl"),
    exact: exactField,
    ...modelFields,
  }),
  output: z.object({
    out: z.string(),
    items: z.number().describe("Rows in the file"),
    dim: z.number(),
    identity: z.string(),
    truncated: z
      .array(z.int())
      .optional()
      .describe("Rows of texts that were longer than the model reads: their ends were left out"),
  }),
  positional: ["pictures"],
  examples: [
    { title: "All pictures of a folder", input: { pictures: ["photos"], out: "photos.safetensors" } },
    { title: "Texts, one a line", input: { texts: "captions.txt", out: "captions.npy" } },
  ],
  async run(input, context) {
    const { pictures, texts, out } = input;
    if ((pictures === undefined) === (texts === undefined))
      throw new CliptError("usage", "Give either pictures or --texts FILE.");
    // A wrong ending shall not cost the whole work.
    formatOf(out);
    const opening = context.services.encoder({ ...input, inBulk: true });
    // It is awaited below; meanwhile another failure may come first.
    opening.catch(() => {});
    const { truncated, ...embeddings } =
      texts === undefined
        ? { ...(await embedPictures(pictures ?? [], opening, input.exact, context)), truncated: [] }
        : await embedTexts(texts, opening, context);
    await writeEmbeddings(out, embeddings);
    const [items = 0, dim = 0] = embeddings.vectors.shape;
    return {
      out,
      items,
      dim,
      identity: embeddings.identity,
      ...(truncated.length > 0 && { truncated: [...truncated] }),
    };
  },
});

async function embedPictures(
  paths: readonly string[],
  opening: Promise<Encoder>,
  exact: boolean,
  context: Context,
): Promise<Embeddings> {
  const files = await findPictures(paths, context);
  const encoder = await opening;
  const { identity, preprocess } = encoder.model;
  const [items, rows]: [string[], Float32Array[]] = [[], []];
  for await (const { item, vector } of encodePictures(
    files,
    sampleOf,
    encoder,
    decoding(preprocess, exact),
    context,
  )) {
    items.push(item.path);
    rows.push(vector);
  }
  return { identity, items, vectors: stackVectors(rows) };
}

async function embedTexts(
  path: string,
  opening: Promise<Encoder>,
  context: Context,
): Promise<Embeddings & { truncated: readonly number[] }> {
  const items = await readLines(path);
  if (items.length === 0) throw new CliptError("input", `${path} holds no text.`);
  const encoder = await opening;
  const { features, truncated } = await encodeTexts(items, encoder, context);
  return { identity: encoder.model.identity, items, vectors: features, truncated };
}
