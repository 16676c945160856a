import { z } from "zod";
import { file } from "./fields.js";
import { defineTask } from "./task.js";

export const doctorModel = defineTask({
  name: "doctor model",
  details:
    "The reference holds pixel_values and input_ids, and what the original project makes of them: features, logits, and tap.* from inside the towers. By default every checkpoint of the folder is run against each golden*.safetensors beside it; golden.NAME.safetensors goes with config.NAME.json. A folder NAME-sharded that has none is held against the one of NAME beside it, and says so.",
  input: z.object({
    model: file("Model folder or checkpoint file"),
    reference: file(
      "Reference tensors, safetensors; by default golden*.safetensors beside the model",
    ).optional(),
  }),
  output: z.object({
    ok: z.boolean(),
    tensors: z.array(
      z.object({
        checkpoint: z.string(),
        name: z.string(),
        maxAbs: z.number().nullable().describe("Largest difference"),
        allowed: z.number(),
        ok: z.boolean(),
        error: z.string().optional(),
      }),
    ),
  }),
  positional: ["model"],
  examples: [
    {
      title: "A checkpoint against the Python project's numbers",
      input: { model: "vit-tiny", reference: "golden.safetensors" },
    },
  ],
  passed: ({ ok }) => ok,
  async run({ model, reference }) {
    const { compareModel } = await import("../model/index.js");
    const report = await compareModel(model, reference);
    return { ...report, tensors: [...report.tensors] };
  },
});
