import type { AnyTask } from "./task.js";

/** A task by its command's words. It is loaded when it is used, so that `--help` need not wait for all. */
export interface Entry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<AnyTask>;
}

/** First words that several commands share. */
export const groups: Readonly<Record<string, string>> = {
  doctor: "Check clipt against reference numbers",
};

/** Everything that clipt does, in the order of its help. */
export const catalog: readonly Entry[] = [
  {
    name: "doctor preprocess",
    summary: "Compare the preprocessing of pictures with a reference",
    load: async () => (await import("./doctor-preprocess.js")).doctorPreprocess,
  },
  {
    name: "doctor metrics",
    summary: "Compare the metrics with CLIP_benchmark's",
    load: async () => (await import("./doctor-metrics.js")).doctorMetrics,
  },
];
