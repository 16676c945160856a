import { z } from "zod";
import { dotProducts, probabilities, rankLabels, type Scored } from "../score/index.js";
import { CliptError } from "../tensor/index.js";
import { readLabelSet } from "../train/data/labels.js";
import { labelAssessor, type Assessment } from "./calibration/label-assessor.js";
import { decoding, exactField } from "./decoding.js";
import { stackVectors } from "./embeddings/embeddings.js";
import { encodePictures } from "./encode-pictures.js";
import { file, list, modelFields } from "./fields.js";
import { findPictures, sampleOf } from "./find-pictures.js";
import { checkNames, classHead, templatesFor } from "./labels.js";
import { defineTask } from "./task.js";

export const classify = defineTask({
  name: "classify",
  details:
    "Each label is put into every template and their directions are averaged. Without --templates, the model's own in the labels' language are used. Scores of a softmax model compare the labels with each other and add up to 1; those of a sigmoid model judge each label alone. Where the model is calibrated, each label has a probability of its own, whatever the others are, and there is one that none of them fits.",
  input: z.object({
    pictures: list("PICTURE", "Pictures, or folders that are searched to any depth"),
    labels: list("A,B,C", "Labels between commas").optional(),
    labelsFile: file("Labels one a line; synonyms between commas, the best first").optional(),
    templates: file("Sentences one a line, with {c} in the label's place").optional(),
    exact: exactField,
    ...modelFields,
  }),
  output: z.array(
    z.object({
      picture: z.string(),
      labels: z
        .array(
          z.object({
            label: z.string(),
            score: z.number(),
            probability: z
              .number()
              .optional()
              .describe("That it is seen, whatever the others are, where the model is calibrated"),
            truncated: z
              .literal(true)
              .optional()
              .describe("The label was longer than the model reads; its end was left out"),
          }),
        )
        .describe("Best first"),
      none: z
        .number()
        .optional()
        .describe("Probability that none of the labels is seen, where the model is calibrated"),
    }),
  ),
  positional: ["pictures"],
  examples: [
    { title: "Which of three", input: { pictures: ["cat.jpg"], labels: ["cat", "dog", "horse"] } },
    { title: "Many pictures, many labels", input: { pictures: ["photos"], labelsFile: "classnames.txt" } },
  ],
  async run(input, context) {
    const opening = context.services.encoder(input);
    opening.catch(() => {});
    const names = await readNames(input.labels, input.labelsFile);
    const labels = names.map(([best = ""]) => best);
    checkNames(labels);
    const files = await findPictures(input.pictures, context);
    const encoder = await opening;
    const { model } = encoder;
    if (labels.length === 1 && model.config.score === "softmax")
      context.emit({
        kind: "warning",
        message: "a label without others to compare it with always scores 100 %; add some",
      });
    const templates = await templatesFor(labels, input.templates, model);
    const { directions, truncated } = await classHead({ names, templates }, 1, encoder, context);
    const cut = new Set([...truncated].map((i) => labels[i]!));
    const assess = await labelAssessor(directions, encoder, context);
    const results = [];
    const decode = decoding(model.preprocess, input.exact);
    for await (const { item, vector } of encodePictures(files, sampleOf, encoder, decode, context)) {
      const stacked = stackVectors([vector]);
      const cosines = dotProducts(stacked, directions);
      const ranked = rankLabels(labels, probabilities(cosines, encoder, model.config.score));
      results.push({
        picture: item.path,
        ...judged(
          ranked.map((scored) => (cut.has(scored.label) ? { ...scored, truncated: true as const } : scored)),
          labels,
          assess?.(stacked, cosines),
        ),
      });
    }
    return results;
  },
});

/** Labels with what each is worth by itself. */
function judged<S extends Scored>(
  ranked: readonly S[],
  labels: readonly string[],
  assessed: Assessment | undefined,
): { labels: (S & { probability?: number })[]; none?: number } {
  if (assessed === undefined) return { labels: [...ranked] };
  const byLabel = new Map(labels.map((label, i) => [label, assessed.labels[i]!]));
  return {
    labels: ranked.map((scored) => ({ ...scored, probability: byLabel.get(scored.label)! })),
    none: assessed.none,
  };
}

async function readNames(
  labels: readonly string[] | undefined,
  labelsFile: string | undefined,
): Promise<readonly (readonly string[])[]> {
  if ((labels === undefined) === (labelsFile === undefined))
    throw new CliptError("usage", "Give either --labels A,B,C or --labels-file FILE.");
  if (labelsFile === undefined) return (labels ?? []).map((name) => [name]);
  return (await readLabelSet({ classnames: labelsFile })).names;
}
