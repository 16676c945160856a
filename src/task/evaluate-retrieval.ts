import { z } from "zod";
import type { Encoder } from "../model/index.js";
import { retrievalMetrics, type RetrievalMetrics } from "../score/index.js";
import { CliptError } from "../tensor/index.js";
import { pictures, type ReadOptions } from "../train/data/index.js";
import { rowsOf, stackVectors } from "./embeddings/embeddings.js";
import { encodeTexts } from "./encode-texts.js";
import { evaluationFields, evaluationResult, reportTo, resultOf } from "./evaluate.js";
import { file } from "./fields.js";
import { defineTask, type Context } from "./task.js";

/** Field that names captions which do not lie in the data. */
export const captionFields = {
  captions: file('Captions by key, JSON lines: {"key": …, "ru": …}').optional(),
};

/** Which captions are read: the data's own, or those of a language in a file. */
export const readingOf = ({
  split,
  captions,
  language,
}: {
  readonly split: string;
  readonly captions?: string | undefined;
  readonly language: string;
}): ReadOptions =>
  captions === undefined ? { split } : { split, captions: [captions], onlyLanguage: language };

export const evaluateRetrieval = defineTask({
  name: "eval retrieval",
  details:
    "Each sample has a picture and its captions. With --captions, those of --language in that file are used, and only pictures that have any. A picture is found by any of its captions; the result is CLIP_benchmark's JSON.",
  input: z.object({
    ...evaluationFields,
    ...captionFields,
    recallK: z
      .array(z.int().min(1))
      .default([1, 5, 10])
      .meta({ description: "Depths of the recall", placeholder: "N,N" }),
  }),
  output: evaluationResult,
  examples: [
    { title: "Recall on archives with captions", input: { data: "flickr8k-test-000000.tar" } },
    {
      title: "With Russian captions of the same pictures",
      input: { data: "flickr8k-test-000000.tar", captions: "captions.ru.jsonl", language: "ru" },
    },
  ],
  async run(input, context) {
    const encoder = await context.services.encoder(input);
    const metrics = await retrievalOf(encoder, input.data, readingOf(input), input.recallK, context);
    return resultOf("zeroshot_retrieval", input, encoder.model, metrics);
  },
});

/**
 * Recall of a model on a data set, preprocessed as the reference does it.
 *
 * @throws `input` when no picture has a caption, and what `pictures` throws
 */
export async function retrievalOf(
  encoder: Encoder,
  data: string,
  options: ReadOptions,
  ks: readonly number[],
  context: Context,
): Promise<RetrievalMetrics> {
  const { services, signal, emit } = context;
  const images: Float32Array[] = [];
  const texts: string[] = [];
  const imageOf: number[] = [];
  const decode = { preprocess: encoder.model.preprocess, decode: { orient: false } };
  const reading = { ...options, workers: services.decodeWorkers, report: reportTo(context), signal };
  for await (const { pixels, captions, keys } of pictures(data, decode, reading)) {
    const rows = rowsOf(await encoder.images(pixels));
    for (const [i, list] of captions.entries()) {
      if (list.length === 0) {
        emit({ kind: "skipped", item: keys[i] ?? "", reason: "it has no caption" });
        continue;
      }
      for (const { text } of list) {
        texts.push(text);
        imageOf.push(images.length);
      }
      images.push(rows[i] ?? new Float32Array());
    }
    emit({ kind: "progress", stage: "pictures", done: images.length });
  }
  if (images.length === 0) throw new CliptError("input", `No picture of ${data} has a caption.`);
  const { features } = await encodeTexts(texts, encoder, context);
  return retrievalMetrics(stackVectors(images), features, imageOf, ks);
}
