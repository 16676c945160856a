import { z } from "zod";
import { CliptError } from "../tensor/index.js";
import { formats } from "../weights/hub/needed-files.js";
import { modelNameFields, words } from "./fields.js";
import { pullModel, repositoryFor } from "./locate-model.js";
import { defineTask } from "./task.js";

export const modelsPull = defineTask({
  name: "models pull",
  details:
    "Takes what clipt needs of a repository (configuration, tokenizer, one file of weights) into the hub's cache, checks size and checksum, and goes on where an earlier download ended. A model that is there already is brought to the newest state of its branch.",
  input: z.object({
    model: words("owner/name[@revision], or open_clip's name of the architecture"),
    pretrained: modelNameFields.pretrained,
    format: z
      .enum(formats)
      .meta({ description: "Only weights of this kind; the best that there is when it is left out" })
      .optional(),
  }),
  output: z.object({
    repository: z.string(),
    revision: z.string(),
    commit: z.string(),
    folder: z.string(),
    bytes: z.number(),
    files: z.array(z.string()),
  }),
  positional: ["model"],
  examples: [
    { title: "By its repository", input: { model: "timm/ViT-B-16-SigLIP" } },
    { title: "By open_clip's names", input: { model: "ViT-B-32", pretrained: "laion2b_s34b_b79k" } },
  ],
  async run({ model, pretrained, format }, { services: { hub }, signal, emit }) {
    const repository = await repositoryFor(model, pretrained);
    if (repository === undefined)
      throw new CliptError(
        "usage",
        `"${model}" is no name of the hub: owner/name[@revision] or ViT-B-32::TAG is expected.`,
      );
    const { commit, folder, bytes, files } = await pullModel(repository, { hub, signal, emit, format });
    return {
      repository: repository.name,
      revision: repository.revision,
      commit,
      folder,
      bytes,
      files: [...files],
    };
  },
});
