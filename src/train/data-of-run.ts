import { join } from "node:path";
import { openClipAugment, type AugmentConfig } from "../input/image/index.js";
import type { Runtime } from "../runtime/index.js";
import { CliptError } from "../tensor/index.js";
import { openBatches, type BatchState, type Batches, type PictureRows } from "./batches.js";
import {
  compileFrozen,
  cutRows,
  keepRows,
  pixelRows,
  readClassifier,
  type FrozenPictures,
} from "./cut-pictures.js";
import {
  openLoader,
  openMixture,
  openPictureRows,
  readLabelSet,
  type Ingredient,
  type LabelSet,
  type LanguageWeights,
  type Loader,
  type LoaderState,
  type PictureOptions,
  type Report,
  type RowReader,
} from "./data/index.js";
import { drawPair } from "./data/pair.js";
import { draws } from "./data/sampler.js";
import type { Run } from "./recipe.js";
import type { Start } from "./start.js";
import { cutTextRows, tokenRows } from "./texts.js";
import { clipSpec, openModel } from "../model/index.js";

/** The data of a run, opened: what is in it, and how batches come out of it. */
export interface RunData {
  /** Optimizer steps of one epoch of pairs. */
  readonly stepsPerEpoch: number;
  /** Opens the stream of batches from the start of an epoch or from a state. Each stream has readers of its own. */
  batches(seed: number, from?: BatchState | { readonly epoch: number }): Promise<Batches>;
}

export interface RunDataOptions {
  readonly run: Run;
  readonly start: Start;
  readonly folder: string;
  readonly runtime: Runtime;
  readonly report: Report;
  readonly onCache: (stream: string, pictures: number) => void;
  readonly signal?: AbortSignal | undefined;
}

interface Stream {
  readonly name: string;
  readonly languages: LanguageWeights | undefined;
  readonly mixture: readonly Ingredient[];
  rows(): Promise<RowReader>;
}

/** @throws `usage` when the run names no data, and what data sets, label sets and classifiers throw */
export async function openRunData(options: RunDataOptions): Promise<RunData> {
  const { run, start, runtime, report, signal } = options;
  if (run.trainData === undefined)
    throw new CliptError(
      "usage",
      "No data to train on: give --train-data (pictures with captions) or a recipe that names it.",
    );
  const sets = async (list: Run["labelSets"]): Promise<LabelSet[] | undefined> =>
    list &&
    Promise.all(list.map(({ classnames, ...rest }) => readLabelSet({ classnames, ...defined(rest) })));
  const labelSets = await sets(run.labelSets);
  const taughtSets = await sets(run.distillSets);
  const frozen = await compileFrozenOf(options);
  const pictures: PictureRows = run.cutImage === undefined ? pixelRows(frozen) : cutRows(frozen!);
  const tokens = tokenRows(start.tokenizer, start.config);
  const texts =
    run.cutText === undefined
      ? tokens
      : cutTextRows(tokens, {
          runtime,
          config: start.config,
          spec: clipSpec(start.config),
          weights: start.weights,
          cut: run.cutText,
        });

  const mixture = await openMixture(run.trainData, {
    ...defined({
      upsamplingFactors: run.trainDataUpsamplingFactors,
      captions: run.captions,
      csvSeparator: run.csvSeparator,
      csvImgKey: run.csvImgKey,
      csvCaptionKey: run.csvCaptionKey,
    }),
  });
  const pairs = streamOf("pairs", mixture, run.cutVersions, options, frozen);
  const labelled =
    run.labelData === undefined
      ? undefined
      : streamOf(
          "labelled",
          (
            await openMixture(run.labelData, defined({ upsamplingFactors: run.labelDataUpsamplingFactors }))
          ).map((part) => ({ ...part, labels: labelSets ?? [] })),
          run.labelCutVersions ?? run.cutVersions,
          options,
          frozen,
        );
  if (labelled !== undefined && labelSets === undefined)
    throw new CliptError(
      "usage",
      "Labelled pictures need the names of their classes: give --label-sets with --label-data.",
    );

  const perEpoch = run.trainNumSamples ?? (await countPairs(mixture, run, report));
  const load = (
    stream: Stream,
    batchSize: number,
    seed: number,
    from: LoaderState | { readonly epoch: number },
    rows?: RowReader,
  ): Loader =>
    openLoader(stream.mixture, {
      batchSize,
      seed: `${seed} ${stream.name}`,
      shuffleBuffer: run.shuffleBuffer,
      ...("data" in from ? { resume: from } : { epoch: from.epoch }),
      ...defined({ languages: stream.languages, rows, signal }),
    });
  const extra: Stream | undefined = run.extraCaptions === 0 ? undefined : { ...pairs, name: "extra" };

  return {
    stepsPerEpoch: Math.max(1, Math.floor(perEpoch / (run.batchSize * run.accumFreq))),
    async batches(seed, from = { epoch: 0 }) {
      const place = (stream: keyof BatchState) => ("epoch" in from ? from : (from[stream] ?? { epoch: 0 }));
      return openBatches({
        seed,
        parts: run.accumFreq,
        pairs: load(pairs, run.batchSize, seed, place("pairs"), await pairs.rows()),
        labelled:
          labelled && load(labelled, run.labelBatchSize, seed, place("labelled"), await labelled.rows()),
        extra: extra && load(extra, run.extraCaptions, seed, place("extra")),
        pictures,
        texts,
        classes: labelled && labelSets,
        taught: taughtSets && { sets: taughtSets, count: run.distillClasses },
        languages: run.promptLanguages,
      });
    },
  };
}

async function compileFrozenOf({ run, start, runtime }: RunDataOptions): Promise<FrozenPictures | undefined> {
  if ((run.distillClassifier === undefined) !== (run.distillSets === undefined))
    throw new CliptError(
      "usage",
      "distillClassifier and distillSets belong together: a teacher and its classes' names.",
    );
  if (run.cutImage === undefined && run.distillClassifier === undefined) return undefined;
  const model = run.distillModel === undefined ? start : await openModel(run.distillModel);
  return compileFrozen({
    runtime,
    start,
    cut: run.cutImage,
    teacher:
      run.distillClassifier === undefined
        ? undefined
        : { model, classifier: await readClassifier(run.distillClassifier) },
  });
}

/** Pictures of a mixture as rows: decoded anew each time, or kept at a cut. */
function streamOf(
  name: string,
  mixture: readonly Ingredient[],
  versions: number,
  { run, start, folder, report, onCache, signal }: RunDataOptions,
  frozen: FrozenPictures | undefined,
): Stream {
  const picture: PictureOptions = {
    preprocess: start.preprocess,
    augment: { ...openClipAugment, ...augmentationOf(run) },
  };
  const decoded = () => openPictureRows(picture, run.workers);
  const languages = name === "labelled" ? run.promptLanguages : run.languages;
  if (run.cutImage === undefined || frozen === undefined)
    return { name, languages, mixture, rows: async () => decoded() };
  const { cutImage: cut, distillModel, seed } = run;
  return {
    name,
    languages,
    mixture,
    rows: () =>
      keepRows({
        folder: join(run.cache ?? join(folder, "cache"), name),
        sources: mixture.map(({ source }) => source),
        pictures: decoded(),
        frozen,
        depends: {
          model: start.identity,
          cut,
          teacher: frozen.teacher,
          distillModel,
          picture: versions > 1 ? picture : picture.preprocess,
          seed,
        },
        versions,
        seed,
        report,
        onProgress: (pictures) => onCache(name, pictures),
        signal,
      }),
  };
}

function augmentationOf({ augCfg }: Run): Partial<AugmentConfig> {
  if (augCfg === undefined) return {};
  const { colorJitter, ...rest } = augCfg;
  if (colorJitter === undefined) return defined(rest);
  const [brightness, contrast, saturation, hue] = colorJitter;
  return { colorJitterProb: 1, ...defined(rest), colorJitter: { brightness, contrast, saturation, hue } };
}

/** Pairs that an epoch draws; nothing is decoded for it. */
async function countPairs(mixture: readonly Ingredient[], run: Run, report: Report): Promise<number> {
  let count = 0;
  const order = { seed: "count", shuffleBuffer: 1 };
  for await (const draw of draws(mixture, order, { epoch: 0, drawn: 0 }, report)) {
    if (draw.epoch > 0) break;
    if (!("reason" in drawPair(draw, "count", run.languages))) count++;
  }
  return count;
}

/** Options without those that are not set. */
function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
