import { z } from "zod";
import { retrievalMetrics } from "../score/index.js";
import { CliptError, toFloat32 } from "../tensor/index.js";
import { pictures } from "../train/data/index.js";
import { rowsOf, stackVectors } from "./embeddings/embeddings.js";
import { encodeTexts } from "./encode-texts.js";
import { evaluationFields, evaluationResult, reportTo, resultOf } from "./evaluate.js";
import { file } from "./fields.js";
import { defineTask } from "./task.js";

export const evaluateRetrieval = defineTask({
  name: "eval retrieval",
  details:
    "Each sample has a picture and its captions. With --captions, those of --language in that file are used, and only pictures that have any. A picture is found by any of its captions; the result is CLIP_benchmark's JSON.",
  input: z.object({
    ...evaluationFields,
    captions: file('Captions by key, JSON lines: {"key": …, "ru": …}').optional(),
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
    const { signal, emit, services } = context;
    const encoder = await services.encoder(input);
    const { model } = encoder;
    const images: Float32Array[] = [];
    const texts: string[] = [];
    const imageOf: number[] = [];
    const options = {
      split: input.split,
      workers: services.decodeWorkers,
      report: reportTo(context),
      signal,
      ...(input.captions === undefined ? {} : { captions: [input.captions], onlyLanguage: input.language }),
    };
    const decode = { preprocess: model.preprocess, decode: { orient: false } };
    for await (const { pixels, captions, keys } of pictures(input.data, decode, options)) {
      const rows = rowsOf(toFloat32(await encoder.images(pixels)));
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
    if (images.length === 0) throw new CliptError("input", `No picture of ${input.data} has a caption.`);
    const features = await encodeTexts(texts, encoder, context);
    const metrics = retrievalMetrics(stackVectors(images), features, imageOf, input.recallK);
    return resultOf("zeroshot_retrieval", input, model, metrics);
  },
});
