import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import {
  fitCalibration,
  pairProbability,
  practise,
  presence,
  hitProbabilities,
  holdsTruth,
  noneProbability,
  reliability,
  type Known,
  type Practice,
  type Calibration,
} from "../score/index.js";
import { CliptError, random, shuffle } from "../tensor/index.js";
import { writeError } from "../weights/save.js";
import { explainerOf } from "./calibration/judge.js";
import { encodeData, knownByCaption, knownByClass } from "./calibration/known-pictures.js";
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
    "Fits probabilities to a model's scores and writes them to calibration.json in its folder, where search finds them: whether anything matches, and which results do. It learns from pictures of which the truth is known: some with classes (KEY.cls and --classnames), some with captions, or either; none that the model was trained on, or it will be too sure. The report is for labels that were kept out of the fit, in five turns.",
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
    heldOut: z.object({ present: quality, results: quality, pairs: quality, labels: quality }),
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
    const explain = await explainerOf(encoder, context);
    const sets: Known[] = [];
    if (input.labelled !== undefined && input.classnames !== undefined) {
      const data = { data: input.labelled, classnames: input.classnames };
      const encoded = await encodeData(data.data, [], encoder, context);
      sets.push(await knownByClass(encoded, data, encoder, explain, context));
    }
    if (input.captioned !== undefined) {
      const encoded = await encodeData(input.captioned, input.captions ?? [], encoder, context);
      sets.push(await knownByCaption(encoded, input.languages, encoder, explain, context));
    }
    const { sha256: reference } = await referenceTexts();
    const model = { identity: encoder.model.identity, reference };
    const practice = practise(sets, explain, "calibrate");
    const heldOut = crossValidate(practice, model);
    const path = input.out ?? join(encoder.model.path, calibrationFile);
    const text = `${JSON.stringify(fitCalibration(practice, model), rounded, 2)}\n`;
    await writeFile(path, text).catch((error: unknown) => {
      throw writeError(path, error);
    });
    return { path, heldOut };
  },
});

const folds = 5;

/** How good probabilities are for labels that their calibration has not seen. */
function crossValidate(practice: Practice, model: Pick<Calibration, "identity" | "reference">) {
  const labels = [...new Set([...practice.examples, ...practice.pairs].map(({ query }) => query.label))];
  const foldOf = new Map(shuffle(labels, random("folds")).map((label, i) => [label, i % folds]));
  const said = {
    present: { p: [] as number[], t: [] as boolean[] },
    results: { p: [] as number[], t: [] as boolean[] },
    pairs: { p: [] as number[], t: [] as boolean[] },
    labels: { p: [] as number[], t: [] as boolean[] },
  };
  for (let fold = 0; fold < folds; fold++) {
    const inFold = ({ query }: { query: { label: number } }): boolean => foldOf.get(query.label) === fold;
    const fitted = fitCalibration(
      {
        examples: practice.examples.filter((example) => !inFold(example)),
        telling: practice.telling.filter((example) => !inFold(example)),
        pairs: practice.pairs.filter((pair) => !inFold(pair)),
        choices: practice.choices.filter(({ truth }) => foldOf.get(truth) !== fold),
      },
      model,
    );
    for (const example of practice.telling.filter(inFold)) {
      said.present.p.push(presence(fitted, example.evidence));
      said.present.t.push(example.present);
    }
    for (const example of practice.examples.filter(inFold)) {
      said.results.p.push(...hitProbabilities(fitted, example.evidence).slice(0, 10));
      said.results.t.push(...example.matches.slice(0, 10));
    }
    for (const pair of practice.pairs.filter(inFold)) {
      said.pairs.p.push(pairProbability(fitted, pair.cosine, pair.margin));
      said.pairs.t.push(pair.matches);
    }
    for (const choice of practice.choices.filter(({ truth }) => foldOf.get(truth) === fold)) {
      said.labels.p.push(noneProbability(fitted, choice.cosines, choice.margins));
      said.labels.t.push(!holdsTruth(choice));
    }
  }
  const qualityOf = ({ p, t }: { p: number[]; t: boolean[] }): z.output<typeof quality> => {
    const { count: examples, ece, brier, logLoss, auc } = reliability(p, t);
    return { examples, ece, brier, logLoss, auc };
  };
  return {
    present: qualityOf(said.present),
    results: qualityOf(said.results),
    pairs: qualityOf(said.pairs),
    labels: qualityOf(said.labels),
  };
}

/** Six digits are more than a probability needs. */
const rounded = (_: string, value: unknown): unknown =>
  typeof value === "number" ? Number(value.toPrecision(6)) : value;
