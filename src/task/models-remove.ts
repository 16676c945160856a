import { z } from "zod";
import { CliptError } from "../tensor/index.js";
import { modelNameFields, words } from "./fields.js";
import { repositoryFor } from "./locate-model.js";
import { defineTask } from "./task.js";

export const modelsRemove = defineTask({
  name: "models remove",
  details:
    "The cache is shared with every other program that uses the hub: they lose the model, too. All its revisions and unfinished downloads go.",
  input: z.object({
    model: words("owner/name, or open_clip's name of the architecture"),
    pretrained: modelNameFields.pretrained,
  }),
  output: z.object({ repository: z.string(), folder: z.string(), bytes: z.number().describe("Freed") }),
  positional: ["model"],
  examples: [{ title: "By its repository", input: { model: "timm/ViT-B-16-SigLIP" } }],
  async run({ model, pretrained }, { services: { hub } }) {
    const repository = await repositoryFor(model, pretrained);
    if (repository === undefined)
      throw new CliptError(
        "usage",
        `"${model}" is no name of the hub: owner/name or ViT-B-32::TAG is expected.`,
      );
    if (repository.revision !== "main")
      throw new CliptError(
        "usage",
        `All revisions of ${repository.name} are removed together: leave out @${repository.revision}.`,
      );
    const { removeCached } = await import("../weights/index.js");
    const { folder, bytes } = await removeCached(hub.cache, repository.name);
    return { repository: repository.name, folder, bytes };
  },
});
