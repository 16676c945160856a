import { z } from "zod";
import { folder } from "./fields.js";
import { defineTask } from "./task.js";

export const doctorReplay = defineTask({
  name: "doctor replay",
  details:
    "The folder holds config.json, init, batches, grad, losses and final of a run that the Python project recorded, and its variants with accumulation (*.accum.*, *.bigbatch.*). Losses may differ by 1e-4 (relative), gradients by 1e-4 (relative L2 of each tensor), final weights by 2e-4.",
  input: z.object({ folder: folder("Folder of the recorded run") }),
  output: z.looseObject({
    ok: z.boolean(),
    maxAbsLoss: z.number(),
    maxRelGrad: z.number(),
    maxAbsFinal: z.number(),
    losses: z.array(z.number()).describe("Of every step"),
  }),
  positional: ["folder"],
  examples: [{ title: "Eight steps of a CLIP", input: { folder: "replay-clip" } }],
  passed: ({ ok }) => ok,
  async run({ folder }) {
    const { replay } = await import("../train/index.js");
    const report = await replay(folder);
    return { ...report, losses: [...report.losses] };
  },
});
