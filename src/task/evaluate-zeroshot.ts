import { z } from "zod";
import type { Encoder } from "../model/index.js";
import { classificationCounter, dotProducts, type ClassificationMetrics } from "../score/index.js";
import { CliptError, toFloat32 } from "../tensor/index.js";
import { findLabelFiles, pictures, readLabelSet, type ReadOptions } from "../train/data/index.js";
import { evaluationFields, evaluationResult, reportTo, resultOf } from "./evaluate.js";
import { file } from "./fields.js";
import { classHead, templatesFor } from "./labels.js";
import { defineTask, type Context } from "./task.js";

/** Fields that say what the classes are called. */
export const classFields = {
  classnames: file("Class names, line 1 is class 0; synonyms between commas, the best first").optional(),
  templates: file("Sentences one a line, with {c} in the name's place").optional(),
  synonyms: z.enum(["best", "all"]).default("best").meta({ description: "Which names of a class are used" }),
};

export const evaluateZeroshot = defineTask({
  name: "eval zeroshot",
  details:
    "Each sample has a picture and KEY.cls, the class's number. Preprocessing and metrics are the reference's; the result is CLIP_benchmark's JSON. In its folder layout, classnames.txt and zeroshot_classification_templates.txt are found by themselves.",
  input: z.object({
    ...evaluationFields,
    ...classFields,
  }),
  output: evaluationResult,
  examples: [
    {
      title: "Accuracy on archives with class names",
      input: { data: "tiny-{000..003}.tar", classnames: "classnames.txt", templates: "templates.txt" },
    },
    { title: "A folder in CLIP_benchmark's layout", input: { data: "wds_cifar10", model: "my-model" } },
  ],
  async run(input, context) {
    const opening = context.services.encoder(input);
    opening.catch(() => {});
    if (classnamesOf(input) === undefined)
      throw new CliptError("usage", "Give --classnames FILE: no classnames.txt lies in the data's folder.");
    const encoder = await opening;
    const metrics = await zeroshotOf(encoder, input, {}, context);
    return resultOf("zeroshot_classification", input, encoder.model, { ...metrics });
  },
});

interface Labelled {
  readonly data: string;
  readonly split: string;
  readonly classnames?: string | undefined;
  readonly templates?: string | undefined;
  readonly synonyms: "best" | "all";
}

/** The file with the names of a data set's classes: the one that was given, or else the one that lies with the data. */
export const classnamesOf = ({
  data,
  classnames,
}: Pick<Labelled, "data" | "classnames">): string | undefined =>
  classnames ?? findLabelFiles(data).classnames;

/**
 * Accuracy of a model on a data set whose samples have classes, preprocessed as the reference does it.
 *
 * @throws `input` when no sample has a class, or one that has no name, and what `pictures` throws
 */
export async function zeroshotOf(
  encoder: Encoder,
  input: Labelled,
  reading: Pick<ReadOptions, "most">,
  context: Context,
): Promise<ClassificationMetrics> {
  const { signal, emit, services } = context;
  const { model } = encoder;
  const classnames = classnamesOf(input);
  const { names } = await readLabelSet({ classnames: classnames! });
  const templates = await templatesFor(
    names.map(([best = ""]) => best),
    input.templates ?? findLabelFiles(input.data).templates,
    model,
  );
  const most = input.synonyms === "all" ? Infinity : 1;
  const { directions } = await classHead({ names, templates }, most, encoder, context);

  const counter = classificationCounter(names.length);
  const report = reportTo(context);
  let done = 0;
  const decode = { preprocess: model.preprocess, decode: { orient: false } };
  const options = { ...reading, split: input.split, workers: services.decodeWorkers, report, signal };
  for await (const { pixels, labels, keys } of pictures(input.data, decode, options)) {
    const features = toFloat32(await encoder.images(pixels));
    const scores = dotProducts(features, directions);
    for (const [i, label] of labels.entries()) {
      if (label === undefined) {
        emit({ kind: "skipped", item: keys[i] ?? "", reason: "it has no class" });
        continue;
      }
      if (label >= names.length || label < 0)
        throw new CliptError(
          "input",
          `${keys[i]} has class ${label}, and ${classnames} names classes 0 to ${names.length - 1}.`,
        );
      counter.add(scores.subarray(i * names.length, (i + 1) * names.length), [label]);
      done++;
    }
    emit({ kind: "progress", stage: "pictures", done });
  }
  if (done === 0) throw new CliptError("input", `No sample of ${input.data} has a class (KEY.cls).`);
  return counter.metrics();
}
