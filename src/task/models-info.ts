import { z } from "zod";
import { sizeOf, type Tensor } from "../tensor/index.js";
import { modelNameFields } from "./fields.js";
import { defineTask } from "./task.js";

export const modelsInfo = defineTask({
  name: "models info",
  input: z.object(modelNameFields),
  output: z.object({
    path: z.string(),
    identity: z.string().describe("Of weights, preprocessing and tokenizer"),
    parameters: z.number().nullable().describe("Null for ONNX files, whose weights nobody counts"),
    score: z.string(),
    dim: z.number(),
    imageSize: z.array(z.number()),
    contextLength: z.number(),
    vocabulary: z.number(),
  }),
  positional: ["model"],
  examples: [
    { title: "The bundled model", input: {} },
    { title: "A model of the hub, which is downloaded", input: { model: "timm/ViT-B-16-SigLIP" } },
  ],
  async run(input, { services }) {
    const path = await services.locate(input);
    const { isOnnxRepository, openModel, openOnnxRepository } = await import("../model/index.js");
    const locate = (half: string) => services.locate({ model: half });
    const model = (await isOnnxRepository(path))
      ? await openOnnxRepository(path)
      : await openModel(path, { locate });
    const { config, preprocess, tokenizer } = model;
    const count = (weights: ReadonlyMap<string, Tensor>): number =>
      [...weights.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    return {
      path,
      identity: model.identity,
      parameters: "weights" in model ? count(model.weights) : null,
      score: config.score,
      dim: config.embedDim,
      imageSize: [preprocess.size].flat(),
      contextLength: tokenizer.contextLength,
      vocabulary: tokenizer.vocabSize,
    };
  },
});
