import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { fitCalibration, practise } from "../score/index.js";
import { CliptError } from "../tensor/index.js";
import { writeError } from "../weights/save.js";
import { crossValidate } from "./calibration/cross-validate.js";
import { encodeData } from "./calibration/encoded-data.js";
import { judgeOf } from "./calibration/judged-by.js";
import { knownPictures } from "./calibration/known-pictures.js";
import { calibrationFile } from "./calibration/open-calibration.js";
import { referenceTexts } from "./calibration/reference-texts.js";
import { file, list, modelFields, shards } from "./fields.js";
import { defineTask } from "./task.js";

const quality = z.object({
  examples: z.int(),
  ece: z.number().describe("Expected calibration error"),
  brier: z.number(),
  logLoss: z.number(),
  auc: z.number(),
});

export const calibrate = defineTask({
  name: "calibrate",
  details:
    "Fits probabilities to a model's scores and writes them to calibration.json in its folder, where search finds them: whether anything matches, and which results do. It learns from pictures of which the truth is known: some with classes (KEY.cls and --classnames), some with captions, or, best, both: photographs with English captions tell where everyday words such as dog and water are seen; none that the model was trained on, or it will be too sure. The report is for things that were kept out of the fit, in five turns.",
  input: z.object({
    labelled: shards("WebDataset archives with KEY.cls").optional(),
    classnames: list("FILE", "Names of the classes, one file a language, line 1 is class 0").optional(),
    captioned: shards("WebDataset archives with captions").optional(),
    captions: list("FILE", 'More captions by key, JSON lines: {"key": …, "ru": …}').optional(),
    languages: list("A,B,C", "Languages of captions that count; all when it is left out").optional(),
    out: file("File to write; calibration.json in the model's folder when it is left out").optional(),
    ...modelFields,
  }),
  output: z.object({
    path: z.string(),
    heldOut: z.object({ present: quality, results: quality, pairs: quality, labels: quality.optional() }),
  }),
  examples: [
    {
      title: "For a model of one's own",
      input: {
        model: "my-model",
        labelled: "tiny-val.tar",
        classnames: ["classnames.txt"],
        captioned: "flickr8k-val.tar",
      },
    },
  ],
  async run(input, context) {
    if (input.labelled === undefined && input.captioned === undefined)
      throw new CliptError("usage", "Give --labelled SHARDS, --captioned SHARDS, or both.");
    if ((input.labelled === undefined) !== (input.classnames === undefined))
      throw new CliptError("usage", "--labelled and --classnames belong together.");
    const encoder = await context.services.encoder(input);
    const judge = await judgeOf(encoder, context);
    const labelled =
      input.labelled === undefined || input.classnames === undefined
        ? undefined
        : {
            samples: await encodeData(input.labelled, [], encoder, context),
            classnames: input.classnames,
          };
    const captioned =
      input.captioned === undefined
        ? undefined
        : {
            samples: await encodeData(input.captioned, input.captions ?? [], encoder, context),
            languages: input.languages,
          };
    const known = await knownPictures(
      { ...(labelled && { labelled }), ...(captioned && { captioned }) },
      encoder,
      judge,
      context,
    );
    const { sha256: reference } = await referenceTexts();
    const model = { identity: encoder.model.identity, reference };
    const practice = practise(known, judge.explain, "calibrate");
    const heldOut = crossValidate(practice, model);
    const path = input.out ?? join(encoder.model.path, calibrationFile);
    const text = `${JSON.stringify(fitCalibration(practice, model), rounded, 2)}\n`;
    await writeFile(path, text).catch((error: unknown) => {
      throw writeError(path, error);
    });
    return { path, heldOut };
  },
});

/** Six digits are more than a probability needs. */
const rounded = (_: string, value: unknown): unknown =>
  typeof value === "number" ? Number(value.toPrecision(6)) : value;
