import { z } from "zod";
import { classificationCounter, dotProducts } from "../score/index.js";
import { CliptError, toFloat32 } from "../tensor/index.js";
import { findLabelFiles, pictures, readLabelSet } from "../train/data/index.js";
import { evaluationFields, evaluationResult, reportTo, resultOf } from "./evaluate.js";
import { file } from "./fields.js";
import { classHead, templatesFor } from "./labels.js";
import { defineTask } from "./task.js";

export const evaluateZeroshot = defineTask({
  name: "eval zeroshot",
  details:
    "Each sample has a picture and KEY.cls, the class's number. Preprocessing and metrics are the reference's; the result is CLIP_benchmark's JSON. In its folder layout, classnames.txt and zeroshot_classification_templates.txt are found by themselves.",
  input: z.object({
    ...evaluationFields,
    classnames: file("Class names, line 1 is class 0; synonyms between commas, the best first").optional(),
    templates: file("Sentences one a line, with {c} in the name's place").optional(),
    synonyms: z
      .enum(["best", "all"])
      .default("best")
      .meta({ description: "Which names of a class are used" }),
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
    const { signal, emit, services } = context;
    const opening = services.encoder(input);
    opening.catch(() => {});
    const found = findLabelFiles(input.data);
    const classnames = input.classnames ?? found.classnames;
    if (classnames === undefined)
      throw new CliptError("usage", "Give --classnames FILE: no classnames.txt lies in the data's folder.");
    const { names } = await readLabelSet({ classnames });
    const encoder = await opening;
    const { model } = encoder;
    const templates = await templatesFor(
      names.map(([best = ""]) => best),
      input.templates ?? found.templates,
      model,
    );
    const head = await classHead(
      { names, templates },
      input.synonyms === "all" ? Infinity : 1,
      encoder,
      context,
    );

    const counter = classificationCounter(names.length);
    const report = reportTo(context);
    let done = 0;
    const decode = { preprocess: model.preprocess, decode: { orient: false } };
    const options = { split: input.split, workers: services.decodeWorkers, report, signal };
    for await (const { pixels, labels, keys } of pictures(input.data, decode, options)) {
      const features = toFloat32(await encoder.images(pixels));
      const scores = dotProducts(features, head);
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
    return resultOf("zeroshot_classification", input, model, { ...counter.metrics() });
  },
});
