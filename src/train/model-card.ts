import type { Run } from "./recipe.js";
import type { Start } from "./start.js";
import type { Trainer } from "./trainer.js";

export interface CardFacts {
  readonly run: Run;
  readonly start: Start;
  readonly trainer: Trainer;
  readonly steps: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** What is known about a trained model when it is done; people add what only they know: licences, limits. */
export function modelCard({ run, start, trainer, steps, metrics }: CardFacts): string {
  const { config } = start;
  const batch = run.batchSize * run.accumFreq;
  const rows = [
    ["image tower", `${config.image.kind}, ${config.image.imageSize.join(" × ")} px`],
    ["text tower", `${config.text.kind}, up to ${config.text.contextLength} tokens`],
    ["shared space", `${config.embedDim} numbers`],
    ["started from", run.model ?? ""],
    ["trained numbers", trainer.trained.count.toLocaleString("en")],
    ["data", run.trainData ?? ""],
    ...(run.labelData === undefined ? [] : [["labelled data", run.labelData]]),
    ["steps × pairs", `${steps} × ${batch}`],
    ["learning rate, weight decay", `${run.lr}, ${run.wd}`],
    ["seed", String(run.seed)],
  ];
  const measured = Object.entries(metrics).map(([name, value]) => `| ${name} | ${value.toFixed(4)} |`);
  return [
    `# ${run.name ?? "A model trained with clipt"}`,
    "",
    "Pictures and texts in one space, trained with clipt.",
    "",
    "| | |",
    "| --- | --- |",
    ...rows.map(([name, value]) => `| ${name} | ${value} |`),
    "",
    ...(measured.length === 0 ? [] : ["## Measured", "", "| | |", "| --- | --- |", ...measured, ""]),
    "The licence of the data and of the starting weights holds for what is made of them: state it here.",
    "",
  ].join("\n");
}
