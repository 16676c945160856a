import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { CliptError, messageOf, readError } from "../tensor/index.js";

const text = (placeholder: string, description: string) =>
  z.string().min(1, "must not be empty").meta({ description, placeholder });
const count = (description: string) => z.int().min(1).meta({ description, placeholder: "N" });
const number = (description: string) => z.number().min(0).meta({ description, placeholder: "X" });
const share = (description: string) => z.number().min(0).max(1).meta({ description, placeholder: "X" });
const flag = (description: string) => z.boolean().meta({ description }).default(false);
const paths = (description: string) => z.array(z.string().min(1)).meta({ description, placeholder: "FILE" });

/** Values that a flag gives as JSON and a recipe gives as they are. */
const data = <T extends z.ZodType>(schema: T, description: string) =>
  z.preprocess(parseJson, schema).meta({ description, placeholder: "JSON" });

function parseJson(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

const labelSet = z.strictObject({
  /** One class a line, synonyms separated by commas. */
  classnames: z.string(),
  /** One sentence a line, with {c} in the place of the name. */
  templates: z.string().optional(),
  language: z.string().optional(),
});

const range = z.tuple([z.number(), z.number()]);

/** open_clip's `--aug-cfg`: RandomResizedCrop, then flip, colour jitter and grey with their probabilities. */
const augmentation = z.strictObject({
  scale: range.optional(),
  ratio: range.optional(),
  horizontalFlipProb: z.number().min(0).max(1).optional(),
  /** Brightness, contrast, saturation, hue. */
  colorJitter: z.tuple([z.number(), z.number(), z.number(), z.number()]).optional(),
  colorJitterProb: z.number().min(0).max(1).optional(),
  grayScaleProb: z.number().min(0).max(1).optional(),
});

/**
 * All that decides a training run. Names are open_clip's flags where they mean the same (`trainData` is
 * `--train-data`); defaults are open_clip's too.
 */
const runFields = {
  name: text("NAME", "Name of the run, under which its logs and checkpoints stand").optional(),
  logs: text("FOLDER", "Folder of all runs").default("logs"),
  model: text(
    "MODEL",
    "Model to go on from (folder, checkpoint or name of the hub), or a JSON file with an open_clip model_cfg to start anew",
  ).optional(),
  tokenizer: text(
    "FILE",
    "Tokenizer of a new model: a file or a folder; CLIP's own when it is left out",
  ).optional(),
  output: text(
    "FOLDER",
    "Where the finished model goes; in the run's own folder when it is left out",
  ).optional(),

  trainData: text(
    "SHARDS",
    "Pictures with captions: archives, tables, folders; several joined by ::",
  ).optional(),
  trainDataUpsamplingFactors: text(
    "LIST",
    "How often each of the data sets is shown, joined by ::",
  ).optional(),
  trainNumSamples: count("Pairs in an epoch; counted when it is left out").optional(),
  captions: paths("Further captions by key, JSON lines").optional(),
  languages: data(z.record(z.string(), z.number().min(0)), "How often each language is drawn").optional(),
  csvSeparator: text("CHARACTER", "Between the columns of a table").optional(),
  csvImgKey: text("NAME", "Column of the pictures' paths").optional(),
  csvCaptionKey: text("NAME", "Column of the captions").optional(),
  shuffleBuffer: count("Samples from which the next one is drawn").default(5000),
  batchSize: count("Pairs of one pass through the model").default(64),
  extraCaptions: z
    .int()
    .min(0)
    .meta({ description: "Further captions in each batch, as negatives only", placeholder: "N" })
    .default(0),
  workers: z.int().min(0).meta({ description: "Threads that decode pictures", placeholder: "N" }).default(2),
  augCfg: data(augmentation, "Random changes of the pictures").optional(),
  imageSize: count("Side of the training pictures, px; the model's own when it is left out").optional(),

  labelData: text("SHARDS", "Pictures with classes, for the label loss").optional(),
  labelDataUpsamplingFactors: text("LIST", "As for the pictures with captions").optional(),
  labelBatchSize: count("Labelled pictures of one pass through the model").default(64),
  labelSets: data(
    z.array(labelSet).min(1),
    "Class names and templates of the labelled pictures, by language",
  ).optional(),
  promptLanguages: data(
    z.record(z.string(), z.number().min(0)),
    "How often each language of class names is drawn, for a whole batch at a time",
  ).optional(),
  labelWeight: number("Weight of the label loss").default(1),
  labelSmoothing: share("Share of the target that goes to all classes evenly").default(0.1),

  distillClassifier: text(
    "FILE",
    "Weights of a classifier over the starting image tower's pooled features: the teacher",
  ).optional(),
  distillModel: text(
    "MODEL",
    "Model whose image tower the classifier was made for; the starting model when it is left out",
  ).optional(),
  distillSets: data(
    z.array(labelSet).min(1),
    "Names of the teacher's classes and templates, by language",
  ).optional(),
  distillClasses: count("Classes of the teacher that a batch compares").default(256),
  distillWeight: number("Weight of the distillation loss").default(1),

  epochs: number("Passes over the pairs").default(32),
  steps: count("Optimizer steps, instead of epochs").optional(),
  lr: number("Learning rate").default(5e-4),
  beta1: share("AdamW's first decay").default(0.9),
  beta2: share("AdamW's second decay").default(0.98),
  eps: number("AdamW's epsilon").default(1e-6),
  wd: number("Weight decay").default(0.2),
  warmup: z
    .int()
    .min(0)
    .meta({
      description: "Steps of warm-up; a tenth of the run, at most 10000, when it is left out",
      placeholder: "N",
    })
    .optional(),
  lrScheduler: z
    .enum(["cosine", "const", "const-cooldown"])
    .meta({ description: "How the learning rate moves" })
    .default("cosine"),
  epochsCooldown: number("Epochs of cool-down at the end, for const-cooldown").default(0),
  lrCooldownPower: number("Power of the cool-down").default(1),
  lrCooldownEnd: number("Learning rate at the end of the cool-down").default(0),
  gradClipNorm: number("Limit of the gradient's norm").optional(),
  accumFreq: count("Passes whose pairs make up one batch").default(1),
  accumRule: z
    .enum(["open_clip", "exact"])
    .meta({
      description: "Gradient of the temperature over several passes: open_clip's, or that of the whole batch",
    })
    .default("open_clip"),
  gradCheckpointing: flag("Compute blocks twice instead of keeping their values"),
  siglip: flag("Sigmoid loss instead of softmax"),
  ema: share("Decay of an average of the weights, which becomes the result").optional(),
  rules: data(
    z.array(
      z.strictObject({
        /** Names of weights, * for any text. */
        match: z.string(),
        /** Multiplies the learning rate; 0 freezes. */
        rate: z.number().min(0).optional(),
        /** Weight decay. */
        wd: z.number().min(0).optional(),
      }),
    ),
    "Learning rates and weight decay by the weights' names",
  ).optional(),
  lockImage: flag("Freeze the image tower but its head"),
  lockImageUnlockedGroups: z
    .int()
    .min(0)
    .meta({
      description: "Last groups of layers of the image tower that are trained all the same",
      placeholder: "N",
    })
    .default(0),
  lockImageFreezeBnStats: flag("Keep the running statistics of the image tower"),
  lockText: flag("Freeze the text tower but its head"),
  lockTextUnlockedLayers: z
    .int()
    .min(0)
    .meta({
      description: "Last groups of layers of the text tower that are trained all the same",
      placeholder: "N",
    })
    .default(0),
  cutImage: text(
    "POINT",
    "Compute the image tower up to this point once, and train on the kept values (image.block.11, image.pooled)",
  ).optional(),
  cutText: text("POINT", "The same for the text tower (text.sum, text.pooled)").optional(),
  cutVersions: count("Kept versions of each picture: the first is plain, the others are augmented").default(
    1,
  ),
  labelCutVersions: count(
    "The same for labelled pictures; as many as cut-versions when it is left out",
  ).optional(),
  cache: text(
    "FOLDER",
    "Where values at a cut are kept; in the run's own folder when it is left out",
  ).optional(),
  standardiseSamples: count("Pictures and texts whose features set the mean and scale of new heads").default(
    4096,
  ),

  seed: z.int().min(0).meta({ description: "Fixes everything random", placeholder: "N" }).default(0),
  precision: z.enum(["fp32"]).meta({ description: "Type of numbers" }).default("fp32"),
  device: z
    .enum(["cpu", "webgpu", "cuda", "coreml"])
    .meta({ description: "Where the model runs" })
    .default("cpu"),
  threads: count("Threads of the step; one per core when it is left out").optional(),

  resume: text(
    "FILE",
    "Checkpoint to go on from (clipt's, or open_clip's epoch_N.pt), or \"latest\"",
  ).optional(),
  saveFrequency: number("Epochs between checkpoints that are kept").default(1),
  saveEveryNSteps: count("Steps between checkpoints that replace each other").optional(),
  logEveryNSteps: count("Steps between lines of the log").default(100),
  valData: text("SHARDS", "Pictures with captions for evaluation during the training").optional(),
  valFrequency: number("Epochs between evaluations; 0 for none").default(1),
};

/** Keys that name the run as a whole; a stage cannot have its own. */
const wholeRun = { name: true, logs: true, resume: true, output: true } as const;

const runSchema = z.strictObject(runFields);
// Defaults of the run must not hide in a stage what the run itself says.
const stageSchema = z.strictObject(
  Object.fromEntries(
    Object.entries(runSchema.omit(wholeRun).shape).map(([key, schema]) => [
      key,
      (schema instanceof z.ZodDefault ? (schema.unwrap() as z.ZodType) : (schema as z.ZodType)).optional(),
    ]),
  ),
);

/** The fields of `clipt train`: a recipe file, and every key of a recipe as a flag. */
export const trainInput = z.strictObject({
  recipe: text("FILE", "Recipe: a JSON file or a module; flags replace its values").optional(),
  ...runFields,
  stages: data(z.array(stageSchema), "Runs one after another, each with what differs in it").optional(),
});
export type TrainInput = z.input<typeof trainInput>;

/** One run with every value settled. */
export type Run = z.output<typeof runSchema>;

/** The runs of a recipe, in their order; each goes on from the model that the one before made. */
export interface Recipe {
  readonly runs: readonly Run[];
}

/**
 * Settles a recipe: the file's values, replaced by those given, filled up with defaults.
 * Keys may be written as flags are ("train-data") or as properties ("trainData").
 *
 * @throws `usage` for unknown keys and values out of range, `missing`, `format`
 */
export async function settleRecipe(input: unknown): Promise<Recipe> {
  const given = camelKeys(input);
  const file = typeof given["recipe"] === "string" ? camelKeys(await readRecipe(given["recipe"])) : {};
  const { recipe: _recipe, ...values } = { ...file, ...given };
  const where = typeof given["recipe"] === "string" ? `${given["recipe"]}: ` : "";
  const { stages = [], ...common } = values;
  const checkedStages = check(z.array(stageSchema), stagesOf(parseJson(stages)), where);
  // Each is checked with the stage's own values in it, so that every one of them is valid alone.
  const settled = (checkedStages.length === 0 ? [{}] : checkedStages).map((stage) =>
    check(runSchema, { ...common, ...withoutUndefined(stage) }, where),
  );
  return { runs: settled };
}

const stagesOf = (stages: unknown): unknown => (Array.isArray(stages) ? stages.map(camelKeys) : stages);

/** Types a recipe in a module: `export default recipe({ … })`. */
export const recipe = (input: TrainInput): TrainInput => input;

async function readRecipe(path: string): Promise<unknown> {
  const full = resolve(path);
  if (/\.[cm]?js$/.test(path)) {
    const module = (await import(pathToFileURL(full).href).catch((cause: unknown) => {
      throw new CliptError("format", `${path} cannot be loaded: ${messageOf(cause)}`, { cause });
    })) as { default?: unknown };
    if (module.default === undefined)
      throw new CliptError("format", `${path} has no default export: write "export default recipe({ … })".`);
    return module.default;
  }
  const source = await readFile(full, "utf8").catch((cause: unknown) => {
    throw readError(path, cause);
  });
  try {
    return JSON.parse(source);
  } catch (cause) {
    throw new CliptError(
      "format",
      `${path} is no recipe: JSON or a JavaScript module is read. ${messageOf(cause)}`,
      { cause },
    );
  }
}

function check<T extends z.ZodType>(schema: T, value: unknown, where: string): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const lines = result.error.issues.map(({ path, message }) => {
    const at = path.map(String).join(".");
    return at === "" ? message : `${at}: ${message}`;
  });
  throw new CliptError("usage", `${where}${lines.join("\n")}`);
}

/** "train-data" → "trainData", at the top only: below it stand names of the user's own. */
function camelKeys(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new CliptError("usage", `A recipe is an object of settings, not ${JSON.stringify(value)}.`);
  return withoutUndefined(
    Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
        item as unknown,
      ]),
    ),
  );
}

const withoutUndefined = (record: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
