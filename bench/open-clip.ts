import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { packageRoot } from "../src/package-root.js";
import { exportModel } from "../src/task/index.js";
import { random } from "../src/tensor/index.js";
import { settleRecipe, trainModel, type TrainInput } from "../src/train/index.js";
import { option, type Benchmark } from "./benchmark.js";

const text_cfg = { context_length: 77, vocab_size: 49408, width: 64, heads: 2, layers: 2 };
const vision_cfg = { image_size: 64, patch_size: 16, width: 64, head_width: 32, layers: 2 };
const pairs = 16;
/** Every epoch is one step, so that all steps see all pairs: the order of a batch does not change its loss. */
const epochs = 8;
/** Epochs that clipt makes before open_clip goes on, and open_clip before clipt goes on again. */
const out = 3;
const back = 5;

/** Models and ways of training that differ in what a checkpoint holds. */
const cases: Readonly<Record<string, { readonly model: object; readonly run: TrainInput }>> = {
  vit: { model: { embed_dim: 64, vision_cfg, text_cfg }, run: { gradClipNorm: 1 } },
  locked: {
    model: { embed_dim: 64, quick_gelu: true, vision_cfg, text_cfg },
    run: { lockImage: true, lockText: true, lockTextUnlockedLayers: 2 },
  },
  accumulated: {
    model: { embed_dim: 64, vision_cfg, text_cfg },
    run: { batchSize: pairs / 2, accumFreq: 2 },
  },
  sigmoid: {
    model: {
      embed_dim: 64,
      custom_text: true,
      init_logit_scale: Math.log(10),
      init_logit_bias: -10,
      vision_cfg,
      text_cfg,
    },
    run: { siglip: true },
  },
  resnet: {
    model: { embed_dim: 64, vision_cfg: { image_size: 64, layers: [1, 1, 1, 1], width: 8 }, text_cfg },
    run: { beta2: 0.999, eps: 1e-8 },
  },
};

const benchmark: Benchmark = {
  summary: "A training run that moves to open_clip's trainer and back: differences of the losses",
  async run(args) {
    const python = option(args, "python");
    if (python === undefined) throw new Error("--python PATH of one with open_clip_torch==3.3.0 and pandas");
    const folder = await mkdtemp(join(tmpdir(), "clipt-open-clip-"));
    try {
      const data = await makePairs(folder);
      const results: Record<string, unknown> = {};
      for (const [name, { model, run }] of Object.entries(cases))
        results[name] = await move(join(folder, name), model, { trainData: data, ...run }, python);
      return results;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
export default benchmark;

/** Pictures of the model's own size: decoding and cropping do nothing to them. */
async function makePairs(folder: string): Promise<string> {
  const rng = random("pairs");
  const rows = ["filepath\ttitle"];
  for (let i = 0; i < pairs; i++) {
    const path = join(folder, `${i}.png`);
    const pixels = Buffer.from(Uint8Array.from({ length: 64 * 64 * 3 }, () => rng.int(256)));
    await sharp(pixels, { raw: { width: 64, height: 64, channels: 3 } })
      .png()
      .toFile(path);
    rows.push(`${path}\tpicture number ${i} of noise`);
  }
  const table = join(folder, "pairs.tsv");
  await writeFile(table, `${rows.join("\n")}\n`);
  return table;
}

async function move(folder: string, model: object, given: TrainInput, python: string) {
  await mkdir(folder);
  const config = join(folder, "model.json");
  await writeFile(config, JSON.stringify({ model_cfg: model }));
  const run: TrainInput = {
    logs: join(folder, "clipt"),
    batchSize: pairs,
    epochs,
    warmup: 2,
    lr: 1e-3,
    augCfg: { scale: [1, 1], ratio: [1, 1] },
    logEveryNSteps: 1,
    threads: 1,
    ...given,
  };
  const here = await losses({ ...run, name: "whole", model: config });

  const checkpoint = join(folder, "clipt", "whole", "checkpoints", `step_${out}.safetensors`);
  const moved = join(folder, "moved");
  const { command = "" } = await exportModel({ model: checkpoint, to: "open_clip", out: moved });
  const there = await openClip(command, join(folder, "open_clip"), python, run.accumFreq ?? 1);

  const saved = join(folder, "open_clip", "whole", "checkpoints", `epoch_${back}.pt`);
  await copyFile(join(moved, "open_clip_config.json"), join(saved, "..", "open_clip_config.json"));
  const again = await losses({ ...run, name: "again", resume: saved });

  return {
    losses: here,
    steps_out: there.length,
    max_difference_out: greatest(here.slice(out), there),
    steps_back: again.length,
    max_difference_back: greatest(there.slice(back - out), again),
  };
}

async function losses(input: TrainInput): Promise<number[]> {
  const { folder } = await trainModel(await settleRecipe(input));
  const lines = (await readFile(join(folder, "log.jsonl"), "utf8")).trim().split("\n");
  return lines.map((line) => (JSON.parse(line) as { loss: number }).loss);
}

/** Runs the printed command with open_clip's trainer on this machine's processor. */
async function openClip(command: string, logs: string, python: string, passes: number): Promise<number[]> {
  const script = join(packageRoot, "bench", "compare-open-clip.py");
  const own = command.replace(/^torchrun .* open_clip_train\.main/, `'${python}' '${script}'`);
  const { stdout } = await promisify(execFile)("sh", [
    "-c",
    `${own} --device cpu --workers 0 --logs '${logs}'`,
  ]);
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => (JSON.parse(line) as { loss: number }).loss).filter((_, i) => i % passes === 0);
}

const greatest = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length ? Math.max(...a.map((loss, i) => Math.abs(loss - b[i]!))) : NaN;
