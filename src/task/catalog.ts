import type { AnyTask } from "./task.js";

/** A task by its command's words. It is loaded when it is used, so that `--help` need not wait for all. */
export interface Entry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<AnyTask>;
}

/** First words that several commands share. */
export const groups: Readonly<Record<string, string>> = {
  eval: "Measure a model on a data set, as CLIP_benchmark does",
  tokenizer: "Make tokenizers",
  models: "Choose, download and look at models",
  doctor: "Check clipt against reference numbers",
};

/** Everything that clipt does, in the order of its help. */
export const catalog: readonly Entry[] = [
  {
    name: "search",
    summary: "Find pictures by a description or by a picture",
    load: async () => (await import("./search.js")).search,
  },
  {
    name: "similar",
    summary: "Find pictures of an index that look like one",
    load: async () => (await import("./similar.js")).similar,
  },
  {
    name: "index",
    summary: "Keep an index of folders, to search them at once",
    load: async () => (await import("./index-pictures.js")).indexPictures,
  },
  {
    name: "watch",
    summary: "Keep an index in line with folders as they change",
    load: async () => (await import("./watch.js")).watch,
  },
  {
    name: "worker",
    summary: "Index pictures for other machines, from a queue",
    load: async () => (await import("./worker.js")).worker,
  },
  {
    name: "duplicates",
    summary: "Find copies of pictures in an index, and lookalikes",
    load: async () => (await import("./duplicates.js")).duplicates,
  },
  {
    name: "mark",
    summary: "Tell which results were right, so that an index's probabilities fit it",
    load: async () => (await import("./mark.js")).mark,
  },
  {
    name: "classify",
    summary: "Score pictures against labels",
    load: async () => (await import("./classify.js")).classify,
  },
  {
    name: "embed",
    summary: "Write the vectors of pictures or texts to a file",
    load: async () => (await import("./embed.js")).embed,
  },
  {
    name: "calibrate",
    summary: "Make a model's scores probabilities",
    load: async () => (await import("./calibrate.js")).calibrate,
  },
  {
    name: "eval zeroshot",
    summary: "Accuracy of zero-shot classification",
    load: async () => (await import("./evaluate-zeroshot.js")).evaluateZeroshot,
  },
  {
    name: "eval retrieval",
    summary: "Recall of pictures by captions and of captions by pictures",
    load: async () => (await import("./evaluate-retrieval.js")).evaluateRetrieval,
  },
  {
    name: "train",
    summary: "Train a model by a recipe",
    load: async () => (await import("./train.js")).train,
  },
  {
    name: "tokenizer train",
    summary: "Learn a vocabulary from texts",
    load: async () => (await import("./tokenizer-train.js")).tokenizerTrain,
  },
  {
    name: "export",
    summary: "Write a model in another project's layout",
    load: async () => (await import("./export.js")).exportModel,
  },
  {
    name: "models list",
    summary: "Show models that are worth choosing from, and which of them are here",
    load: async () => (await import("./models-list.js")).modelsList,
  },
  {
    name: "models pull",
    summary: "Download a model, or what is new of it",
    load: async () => (await import("./models-pull.js")).modelsPull,
  },
  {
    name: "models info",
    summary: "Say what a model is",
    load: async () => (await import("./models-info.js")).modelsInfo,
  },
  {
    name: "models remove",
    summary: "Remove a downloaded model from this machine",
    load: async () => (await import("./models-remove.js")).modelsRemove,
  },
  {
    name: "doctor model",
    summary: "Compare a model's features, logits and taps with a reference",
    load: async () => (await import("./doctor-model.js")).doctorModel,
  },
  {
    name: "doctor dtypes",
    summary: "Compare a model's precisions: what each costs and gains",
    load: async () => (await import("./doctor-dtypes.js")).doctorDtypes,
  },
  {
    name: "doctor preprocess",
    summary: "Compare the preprocessing of pictures with a reference",
    load: async () => (await import("./doctor-preprocess.js")).doctorPreprocess,
  },
  {
    name: "doctor tokenizer",
    summary: "Compare a tokenizer's ids with a reference",
    load: async () => (await import("./doctor-tokenizer.js")).doctorTokenizer,
  },
  {
    name: "doctor replay",
    summary: "Repeat a recorded training run and compare losses, gradients and weights",
    load: async () => (await import("./doctor-replay.js")).doctorReplay,
  },
  {
    name: "doctor metrics",
    summary: "Compare the metrics with CLIP_benchmark's",
    load: async () => (await import("./doctor-metrics.js")).doctorMetrics,
  },
];
