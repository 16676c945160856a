import { z } from "zod";
import { openEncoder } from "../model/index.js";
import { workerRuntime } from "../runtime/index.js";
import { settleRecipe, trainInput, trainModel, type TrainEvent, type TrainOptions } from "../train/index.js";
import { retrievalOf } from "./evaluate-retrieval.js";
import { defineTask, type Context } from "./task.js";

export const train = defineTask({
  name: "train",
  details:
    "A recipe is a file of these values, with its stages; flags replace what it says. Names and defaults are open_clip's where they mean the same. Ctrl-C writes a checkpoint; --resume latest goes on from there. The result is a model folder that --model takes.",
  input: trainInput,
  output: z.object({
    model: z.string().describe("Folder of the finished model"),
    folder: z.string().describe("Folder of the run: log, checkpoints"),
    steps: z.number(),
    loss: z.number().or(z.nan()),
    metrics: z.record(z.string(), z.number()),
  }),
  positional: ["recipe"],
  examples: [
    { title: "By a recipe", input: { recipe: "recipe.json" } },
    {
      title: "On own pictures, from a model",
      input: {
        model: "models/clipt-small",
        trainData: "pairs-{000..009}.tar",
        epochs: 3,
        output: "my-model",
      },
    },
  ],
  async run(_input, context, given) {
    const recipe = await settleRecipe(given);
    const { signal } = context;
    return trainModel(recipe, {
      signal,
      locate: (model) => context.services.locate({ model }),
      onEvent: (event) => tell(event, context),
      evaluate: evaluateBy(context),
    });
  },
});

function tell(event: TrainEvent, { emit }: Context): void {
  switch (event.kind) {
    case "step": {
      const { stage, step, total, report, pairsPerSecond, epoch, eta } = event;
      const note = `epoch ${epoch}, loss ${report.loss.toFixed(4)}, ${pairsPerSecond.toFixed(0)} pairs/s, ${duration(eta)} left`;
      return emit({ kind: "progress", stage, done: step + 1, total, note });
    }
    case "cache":
      return emit({
        kind: "progress",
        stage: `${event.stage}: features of ${event.stream}`,
        done: event.pictures,
      });
    case "checkpoint":
      return emit({ kind: "note", message: `checkpoint ${event.path}` });
    case "evaluation":
      return emit({ kind: "note", message: `step ${event.step + 1}: ${showMetrics(event.metrics)}` });
    case "skipped":
      return emit({ kind: "skipped", item: event.key ?? event.shard, reason: event.reason });
  }
}

/** Recall on the run's validation data. */
const evaluateBy =
  (context: Context): NonNullable<TrainOptions["evaluate"]> =>
  async (model, { valData, device, threads }) => {
    if (valData === undefined) return {};
    const runtime = workerRuntime({ device, threads });
    try {
      const encoder = await openEncoder(model, runtime);
      return await retrievalOf(encoder, valData, {}, [1, 5, 10], context);
    } finally {
      await runtime.close();
    }
  };

const showMetrics = (metrics: Readonly<Record<string, number>>): string =>
  Object.entries(metrics)
    .map(([name, value]) => `${name} ${(100 * value).toFixed(1)} %`)
    .join(", ");

const duration = (seconds: number): string =>
  seconds < 90
    ? `${Math.round(seconds)} s`
    : seconds < 5400
      ? `${Math.round(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`;
