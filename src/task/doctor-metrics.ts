import { z } from "zod";
import { compareMetrics } from "../score/index.js";
import { file } from "./fields.js";
import { readJson } from "../train/data/text-file.js";
import { readWeights } from "../weights/index.js";
import { defineTask } from "./task.js";

export const doctorMetrics = defineTask({
  name: "doctor metrics",
  details:
    "FILE holds features (safetensors): image_features, targets, template_features, classifier, multilabel_targets, retrieval_image_features, caption_features. The reference holds CLIP_benchmark's results on them; they must agree to 1e-6.",
  input: z.object({
    file: file("Features, safetensors"),
    reference: file("CLIP_benchmark's results, JSON; the one beside FILE when it is left out").optional(),
  }),
  output: z.object({
    ok: z.boolean(),
    compared: z.number(),
    maxAbs: z.number().describe("Largest difference"),
    metrics: z.array(
      z.object({
        name: z.string(),
        value: z.number().nullable(),
        expected: z.number().nullable(),
        ok: z.boolean(),
      }),
    ),
  }),
  positional: ["file"],
  examples: [
    {
      title: "Metrics against the Python project's",
      input: { file: "metrics.safetensors" },
    },
  ],
  passed: ({ ok }) => ok,
  async run({ file, reference = file.replace(/\.safetensors$/, "") + ".json" }) {
    const [features, expected] = [await readWeights(file), await readJson(reference)];
    const report = compareMetrics(features, expected);
    return { ...report, metrics: [...report.metrics] };
  },
});
