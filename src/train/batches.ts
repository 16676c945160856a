import { random, shuffle, i64, f32, tensor, type Random, type Tensor } from "../tensor/index.js";
import {
  drawPrompt,
  groupsOf,
  type Batch,
  type LabelSet,
  type LanguageWeights,
  type Loader,
  type LoaderState,
} from "./data/index.js";
import type { Part } from "./step.js";
import type { TextRows } from "./texts.js";

/** Where each stream of the data goes on. */
export type BatchState = Partial<Record<Stream, LoaderState>>;
type Stream = "pairs" | "labelled" | "extra";

/** What rows of a picture loader are, and what a step reads of them. */
export interface PictureRows {
  /** The tower's input of rows, and the teacher's logits where it has any. */
  read(rows: Tensor<"float32">): Promise<{ image: Tensor; teacher?: Tensor<"float32"> | undefined }>;
}

export interface BatchOptions {
  readonly seed: number;
  /** Parts of each batch. */
  readonly parts: number;
  readonly pairs: Loader;
  readonly labelled?: Loader | undefined;
  /** Captions of further pictures, which are nobody's positives. */
  readonly extra?: Loader | undefined;
  readonly pictures: PictureRows;
  readonly texts: TextRows;
  /** Names of the labelled pictures' classes. */
  readonly classes?: readonly LabelSet[] | undefined;
  /** Names of the teacher's classes, and how many a batch compares. */
  readonly taught?: { readonly sets: readonly LabelSet[]; readonly count: number } | undefined;
  readonly languages?: LanguageWeights | undefined;
}

export interface StepBatch {
  readonly parts: readonly Part[];
  readonly pairs: number;
  /** Epoch of the pairs. */
  readonly epoch: number;
}

/** Batches of a run, one for each optimizer step. */
export interface Batches {
  next(step: number): Promise<StepBatch>;
  /** Where the data goes on after the last batch. */
  state(): BatchState;
  close(): Promise<void>;
}

/** Everything random in a batch is a function of the seed, the step and the loaders' positions. */
export function openBatches(options: BatchOptions): Batches {
  const { pairs, labelled, extra, pictures, texts } = options;
  const loaders = { pairs, labelled, extra };
  const open = Object.entries(loaders).flatMap(([name, loader]) =>
    loader === undefined ? [] : [[name as Stream, loader] as const],
  );

  return {
    async next(step) {
      const rng = random([options.seed, "batch", step]);
      const drawn: { pairs: Batch; labelled: Batch | undefined; extra: Batch | undefined }[] = [];
      for (let i = 0; i < options.parts; i++)
        drawn.push({
          pairs: await pairs.next(),
          labelled: await labelled?.next(),
          extra: await extra?.next(),
        });
      // Pictures come first, so that their group numbers are those of the pairs; groups reach over all parts.
      const shown = drawn.flatMap((part) => part.pairs.pairs);
      const unseen = drawn.flatMap((part) => part.extra?.pairs ?? []);
      const groups = groupsOf([...shown, ...unseen]);
      const prompts = promptsOf(options, rng);
      let shownBefore = 0;
      let unseenBefore = shown.length;
      const parts: Part[] = [];
      for (const [i, part] of drawn.entries()) {
        // Prompts stand in the first part only: they belong to the batch.
        const { classes, taught } = i === 0 ? prompts : noPrompts;
        const captions = [...part.pairs.pairs, ...(part.extra?.pairs ?? [])].map(
          ({ caption }) => caption.text,
        );
        const own = groups.subarray(shownBefore, (shownBefore += part.pairs.pairs.length));
        const others = groups.subarray(unseenBefore, (unseenBefore += part.extra?.pairs.length ?? 0));
        const { image, teacher } = await pictures.read(joinRows(part.pairs.rows!, part.labelled?.rows));
        parts.push({
          image,
          ...(await texts.rows([...captions, ...classes, ...taught])),
          rows: {
            pairs: own.length,
            labelled: part.labelled?.pairs.length ?? 0,
            captions: captions.length,
            classes: classes.length,
            taught: taught.length,
          },
          pictureGroups: i64([own.length], [...own]),
          textGroups: i64([captions.length], [...own, ...others]),
          labels:
            part.labelled &&
            i64(
              [part.labelled.pairs.length],
              part.labelled.pairs.map(({ sample }) => sample.label ?? 0),
            ),
          teacher: teacher && columns(teacher, prompts.taughtClasses),
        });
      }
      return { parts, pairs: shown.length, epoch: drawn[0]!.pairs.epoch };
    },
    state: () => Object.fromEntries(open.map(([name, loader]) => [name, loader.state()])),
    close: async () => {
      await Promise.all(open.map(([, loader]) => loader.close()));
    },
  };
}

interface Prompts {
  readonly classes: readonly string[];
  readonly taught: readonly string[];
  readonly taughtClasses: readonly number[];
}
const noPrompts: Prompts = { classes: [], taught: [], taughtClasses: [] };

/** One sentence for each class, all of one language: a choice among languages would tell the class. */
function promptsOf({ classes, taught, languages }: BatchOptions, rng: Random): Prompts {
  const sentences = (sets: readonly LabelSet[], wanted?: readonly number[]): string[] => {
    const set = chooseSet(sets, rng, languages);
    return (wanted ?? set.names.map((_, i) => i)).map((label) => drawPrompt(set, label, rng));
  };
  const all = taught?.sets[0]?.names.map((_, i) => i) ?? [];
  const taughtClasses = shuffle(all, rng).slice(0, taught?.count);
  return {
    classes: classes === undefined ? [] : sentences(classes),
    taught: taught === undefined ? [] : sentences(taught.sets, taughtClasses),
    taughtClasses,
  };
}

function chooseSet(sets: readonly LabelSet[], rng: Random, languages?: LanguageWeights): LabelSet {
  const weights = sets.map(({ language }) =>
    languages === undefined ? 1 : (languages[language ?? "und"] ?? 0),
  );
  const total = weights.reduce((a, b) => a + b, 0);
  let rest = rng.next() * (total > 0 ? total : sets.length);
  const found = sets.findIndex((_, i) => (rest -= total > 0 ? weights[i]! : 1) < 0);
  return sets[Math.max(0, found)]!;
}

function joinRows(a: Tensor<"float32">, b: Tensor<"float32"> | undefined): Tensor<"float32"> {
  if (b === undefined) return a;
  const data = new Float32Array(a.data.length + b.data.length);
  data.set(a.data);
  data.set(b.data, a.data.length);
  return tensor("float32", [a.shape[0]! + b.shape[0]!, ...a.shape.slice(1)], data);
}

/** Chosen columns of a matrix. */
function columns({ shape, data }: Tensor<"float32">, chosen: readonly number[]): Tensor<"float32"> {
  const [rows = 0, width = 0] = shape;
  const result = new Float32Array(rows * chosen.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < chosen.length; c++) result[r * chosen.length + c] = data[r * width + chosen[c]!]!;
  return f32([rows, chosen.length], result);
}
