import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { dtypes } from "../src/graph/index.js";
import { option, type Benchmark } from "./benchmark.js";
import { writeVitB32 } from "./vit-b-32.js";

const child = fileURLToPath(new URL("./load.child.js", import.meta.url));

/** What a process of its own needs for its first picture and text. `--folder F` keeps the model that is made. */
const benchmark: Benchmark = {
  summary: "From a file of ViT-B/32's size to the first vectors: seconds and peak memory of the process",
  async run(args) {
    const kept = option(args, "folder");
    const folder = kept ?? mkdtempSync(join(tmpdir(), "clipt-bench-"));
    try {
      const model = join(folder, "vit-b-32");
      await writeVitB32(model);
      const weights = statSync(join(model, "model.safetensors")).size / 2 ** 20;
      const results: Record<string, unknown> = { weights_mb: weights };
      for (const dtype of dtypes) {
        // The second process finds the light weights that the first one made.
        if (dtype !== "fp32") await load(model, join(folder, "cache"), dtype);
        const loaded = await load(model, join(folder, "cache"), dtype);
        results[dtype] = {
          ...loaded,
          above_empty_over_weights: (loaded.text_peak_mb - loaded.empty_mb) / weights,
        };
      }
      return results;
    } finally {
      if (kept === undefined) rmSync(folder, { recursive: true });
    }
  },
};

interface Loaded {
  readonly seconds: Readonly<Record<string, number>>;
  readonly empty_mb: number;
  readonly text_peak_mb: number;
}

async function load(...args: string[]): Promise<Loaded> {
  const process = fork(child, args);
  const [message] = (await once(process, "message")) as [Loaded];
  await once(process, "exit");
  return message;
}

export default benchmark;
