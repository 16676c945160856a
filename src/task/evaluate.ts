import { basename } from "node:path";
import { z } from "zod";
import type { EncoderModel } from "../model/index.js";
import { shards, modelFields, words } from "./fields.js";
import type { Context } from "./task.js";
import { showSkip, type Report } from "../train/data/index.js";

/** Fields of every evaluation. */
export const evaluationFields = {
  data: shards("WebDataset archives: a folder, globs, brace ranges, or CLIP_benchmark's folder layout"),
  split: words("Part of a folder in CLIP_benchmark's layout").default("test"),
  language: words("Language of the names or captions").default("en"),
  ...modelFields,
  // What is measured are the model's own numbers.
  dtype: modelFields.dtype.default("fp32"),
};

/** CLIP_benchmark's result. NaN becomes null in JSON. */
export const evaluationResult = z.object({
  dataset: z.string(),
  model: z.string(),
  pretrained: z.string(),
  task: z.string(),
  metrics: z.record(z.string(), z.number().or(z.nan())),
  language: z.string(),
});

/** The result in CLIP_benchmark's form. */
export const resultOf = (
  task: "zeroshot_classification" | "zeroshot_retrieval",
  { data, language }: { data: string; language: string },
  { path, identity }: EncoderModel,
  metrics: Readonly<Record<string, number>>,
): z.output<typeof evaluationResult> => ({
  dataset: basename(data),
  model: basename(path),
  pretrained: identity,
  task,
  metrics,
  language,
});

/** Tells what a data set's reader leaves out. */
export const reportTo =
  ({ emit }: Context): Report =>
  (skip) =>
    emit({
      kind: "skipped",
      item: skip.key ?? skip.shard,
      reason: skip.key === undefined ? skip.reason : showSkip(skip),
    });
