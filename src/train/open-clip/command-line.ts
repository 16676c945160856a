import { CliptError } from "../../tensor/index.js";
import type { Run } from "../recipe.js";
import type { StoppedRun } from "../stopped-run.js";

/** What of a run open_clip's trainer does not do: it would train something else. */
export function refuseForOpenClip({ run, start }: StoppedRun): void {
  const { labelData, distillClassifier, cutImage, cutText, rules, extraCaptions, siglip } = run;
  const settings = { labelData, distillClassifier, cutImage, cutText, rules };
  const others = Object.entries(settings).flatMap(([key, value]) => (value === undefined ? [] : [key]));
  if (extraCaptions > 0) others.push("extraCaptions");
  if (others.length > 0)
    throw new CliptError(
      "unsupported",
      `open_clip's trainer has nothing like this run's ${others.join(", ")}, so it cannot go on with it. The finished model can be exported.`,
    );
  if (siglip && start.config.initLogitBias === undefined)
    throw new CliptError(
      "unsupported",
      "open_clip's sigmoid loss wants a model with a logit_bias, which this run's has not, so it cannot go on with it.",
    );
}

export interface CommandOptions {
  /** The hub folder, for `--model local-dir:`. */
  readonly folder: string;
  /** The training checkpoint. */
  readonly resume: string;
}

/** Arguments of `open_clip_train.main` with which a run goes on as it would here. */
export function openClipArguments(
  { name, run, checkpoint, start }: StoppedRun,
  options: CommandOptions,
): string[] {
  const { stepsPerEpoch } = checkpoint;
  const samples = stepsPerEpoch * run.batchSize * run.accumFreq;
  const sigmoid = run.siglip || start.config.score === "sigmoid";
  return [
    ...given("--model", `local-dir:${options.folder}`),
    ...given("--resume", options.resume),
    ...given("--name", name),
    ...given("--train-data", run.trainData),
    ...given("--train-data-upsampling-factors", run.trainDataUpsamplingFactors),
    ...given("--train-num-samples", samples),
    ...given("--csv-separator", run.csvSeparator),
    ...given("--csv-img-key", run.csvImgKey),
    ...given("--csv-caption-key", run.csvCaptionKey),
    ...given("--batch-size", run.batchSize),
    ...given("--accum-freq", run.accumFreq),
    ...given("--epochs", epochsOf(checkpoint)),
    ...given("--lr", run.lr),
    ...given("--beta1", run.beta1),
    ...given("--beta2", run.beta2),
    ...given("--eps", run.eps),
    ...given("--wd", run.wd),
    ...given("--warmup", run.warmup ?? Math.min(10_000, Math.floor(checkpoint.total / 10))),
    ...schedule(run),
    ...given("--grad-clip-norm", run.gradClipNorm),
    ...(run.lockImage ? ["--lock-image"] : []),
    ...given("--lock-image-unlocked-groups", run.lockImage ? run.lockImageUnlockedGroups : undefined),
    ...(run.lockImageFreezeBnStats ? ["--lock-image-freeze-bn-stats"] : []),
    // Without this flag open_clip refuses to lock a text tower at all.
    ...(run.lockText ? ["--lock-text", "--lock-text-freeze-layer-norm"] : []),
    ...given("--lock-text-unlocked-layers", run.lockText ? run.lockTextUnlockedLayers : undefined),
    ...(run.gradCheckpointing ? ["--grad-checkpointing"] : []),
    ...(sigmoid ? ["--siglip"] : ["--local-loss", "--gather-with-grad"]),
    ...augmentation(run),
    ...given("--precision", run.precision),
    ...given("--seed", run.seed),
  ];
}

const given = (flag: string, value: string | number | undefined): string[] =>
  value === undefined ? [] : [flag, String(value)];

/** open_clip's schedule ends with a whole epoch. */
export const epochsOf = ({ total, stepsPerEpoch }: StoppedRun["checkpoint"]): number =>
  Math.ceil(total / stepsPerEpoch);

function schedule(run: Run): string[] {
  if (run.lrScheduler !== "const-cooldown") return ["--lr-scheduler", run.lrScheduler];
  return [
    ...["--lr-scheduler", run.lrScheduler],
    ...given("--epochs-cooldown", run.epochsCooldown),
    ...given("--lr-cooldown-power", run.lrCooldownPower),
    ...given("--lr-cooldown-end", run.lrCooldownEnd),
  ];
}

/** open_clip's own crop is ours when nothing is said. */
function augmentation({ augCfg = {} }: Run): string[] {
  const { scale, ratio, colorJitter, colorJitterProb, grayScaleProb } = augCfg;
  const tuple = (values: readonly number[] | undefined) => values && `(${values.join(",")})`;
  const jitter = colorJitter === undefined ? undefined : (colorJitterProb ?? 1);
  const values = {
    scale: tuple(scale),
    ratio: tuple(ratio),
    color_jitter: tuple(colorJitter),
    color_jitter_prob: jitter,
    gray_scale_prob: grayScaleProb,
  };
  const words = Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${value}`],
  );
  return words.length === 0 ? [] : ["--aug-cfg", ...words];
}

/** How the run differs where it goes on, beyond what is written into the arguments. */
export function differencesInOpenClip({ run, checkpoint }: StoppedRun): string[] {
  const { step, updates, total, stepsPerEpoch } = checkpoint;
  const end = epochsOf(checkpoint) * stepsPerEpoch;
  const rest = step % stepsPerEpoch;
  const readable = /\.(tar|csv|tsv)$/.test(run.trainData ?? "");
  return [
    ...(rest === 0
      ? []
      : [
          `The checkpoint stands ${rest} steps into an epoch, and open_clip begins epochs anew: its schedule goes on ${rest} steps back.`,
        ]),
    ...(end === total
      ? []
      : [`open_clip's schedule ends with whole epochs, at step ${end} instead of ${total}.`]),
    ...(updates === step
      ? []
      : [`AdamW has made ${updates} updates where the schedule stands at ${step}; both go on.`]),
    ...(run.ema === undefined ? [] : ["The average of the weights (ema) ends here: open_clip keeps none."]),
    ...(run.accumRule === "exact" && run.accumFreq > 1
      ? ["open_clip's accumulation gives the temperature its gradient once per pass."]
      : []),
    ...((run.augCfg?.horizontalFlipProb ?? 0) > 0 ? ["open_clip does not mirror pictures."] : []),
    ...(run.captions === undefined && run.languages === undefined
      ? []
      : [
          "Captions in side files and shares of languages are clipt's: open_clip reads those in the data only.",
        ]),
    ...(readable
      ? []
      : ["open_clip reads WebDataset archives and tables: bring the data into one of these forms."]),
  ];
}
