import { resolve } from "node:path";
import { z } from "zod";
import { file, folder } from "./fields.js";
import { readWeights } from "../weights/index.js";
import { defineTask } from "./task.js";

export const doctorPreprocess = defineTask({
  name: "doctor preprocess",
  details:
    "The reference holds tensors named FILE/KEY for the pictures of the folder: rgb, clip224, clip224/late, squash_bicubic224, float_siglip224 … Pixels of lossless files must be equal; through another JPEG decoder 2 levels are allowed.",
  input: z.object({
    folder: folder("Folder with the pictures"),
    reference: file("Preprocessed pictures, safetensors; FOLDER.safetensors when it is left out").optional(),
  }),
  output: z.object({
    ok: z.boolean(),
    compared: z.number(),
    differentPixels: z.number(),
    files: z.array(
      z.object({
        name: z.string(),
        key: z.string(),
        different: z.number(),
        maxLevels: z.number(),
        allowed: z.number(),
        ok: z.boolean(),
        error: z.string().optional(),
      }),
    ),
  }),
  positional: ["folder"],
  examples: [
    {
      title: "Preprocessing against the Python projects'",
      input: { folder: "preprocess" },
    },
  ],
  passed: ({ ok }) => ok,
  async run({ folder, reference = `${resolve(folder)}.safetensors` }) {
    const { comparePreprocess } = await import("../input/index.js");
    const report = await comparePreprocess(folder, await readWeights(reference));
    return { ...report, files: [...report.files] };
  },
});
