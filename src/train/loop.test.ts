import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import sharp from "sharp";
import { clipPreprocess } from "../input/image/index.js";
import { clipSpec, initialise, openModel, saveModel, type ClipConfig } from "../model/index.js";
import { packageRoot } from "../package-root.js";
import { f32, flatten, isTensor, random, zeros, type Tensor } from "../tensor/index.js";
import { readSafetensors, saveSafetensors } from "../weights/index.js";
import { trainModel, type TrainEvent, type TrainResult } from "./loop.js";
import { settleRecipe, type TrainInput } from "./recipe.js";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "clipt-train-"));
  await makeData();
});
after(() => rm(folder, { recursive: true, force: true }));

/** 30 pictures of one colour each with a caption, and 12 in three classes. */
async function makeData(): Promise<void> {
  const rng = random("colours");
  const rows = ["filepath\ttitle"];
  await mkdir(join(folder, "pictures"));
  const paint = (path: string, background: { r: number; g: number; b: number }) =>
    sharp({ create: { width: 40, height: 36, channels: 3, background } })
      .png()
      .toFile(path);
  for (let i = 0; i < 30; i++) {
    const path = join(folder, "pictures", `${i}.png`);
    await paint(path, { r: rng.int(256), g: rng.int(256), b: rng.int(256) });
    rows.push(`${path}\tpicture number ${i} of a colour`);
  }
  await writeFile(join(folder, "pairs.tsv"), `${rows.join("\n")}\n`);
  for (const [c, name] of ["red", "green", "blue"].entries()) {
    await mkdir(join(folder, "classes", name), { recursive: true });
    for (let i = 0; i < 4; i++)
      await paint(join(folder, "classes", name, `${name}${i}.png`), {
        r: c === 0 ? 200 + i : 0,
        g: c === 1 ? 200 + i : 0,
        b: c === 2 ? 200 + i : 0,
      });
  }
  await writeFile(join(folder, "names.txt"), "blue, azure\ngreen\nred\n");
  await writeFile(
    join(folder, "tiny.json"),
    JSON.stringify({
      model_cfg: {
        embed_dim: 16,
        vision_cfg: { image_size: 32, patch_size: 16, width: 32, head_width: 16, layers: 1 },
        text_cfg: { context_length: 16, vocab_size: 49408, width: 16, heads: 2, layers: 1 },
      },
    }),
  );
}

async function run(input: TrainInput, onEvent?: (event: TrainEvent) => void): Promise<TrainResult> {
  const recipe = await settleRecipe({ logs: folder, trainData: join(folder, "pairs.tsv"), ...input });
  return trainModel(recipe, { onEvent });
}

const tiny = (): TrainInput => ({
  model: join(folder, "tiny.json"),
  batchSize: 5,
  steps: 14,
  lr: 0.01,
  warmup: 2,
  ema: 0.9,
  gradClipNorm: 1,
  shuffleBuffer: 10,
  augCfg: { scale: [0.4, 1], horizontalFlipProb: 0.5 },
  threads: 1,
  logEveryNSteps: 1,
  workers: 2,
});

const weightsOf = async (model: string): Promise<Map<string, Tensor>> =>
  readSafetensors(await readFile(join(model, "model.safetensors"))).tensors;
const losses = async (name: string): Promise<number[]> =>
  (await readFile(join(folder, name, "log.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { loss: number }).loss);

test("a run killed in the middle of an epoch goes on to the same bits", async () => {
  const whole = await run({ ...tiny(), name: "whole" });
  const killed: TrainInput = { ...tiny(), name: "killed", saveEveryNSteps: 3 };
  await killAfter(8, { logs: folder, trainData: join(folder, "pairs.tsv"), ...killed });
  const steps: number[] = [];
  const resumed = await run({ ...killed, workers: 1, resume: "latest" }, (event) => {
    if (event.kind === "step") steps.push(event.step);
  });
  assert.ok(steps[0]! >= 6 && steps[0]! % 3 === 0, `went on at step ${steps[0]}`);
  assert.deepEqual(await losses("killed"), await losses("whole"));
  assert.equal((await losses("whole")).length, 14);
  assert.deepEqual(await weightsOf(resumed.model), await weightsOf(whole.model));
  assert.equal((await openModel(resumed.model)).identity, (await openModel(whole.model)).identity);
});

/** Trains in a process of its own and kills it when a step is done. */
async function killAfter(step: number, input: object): Promise<void> {
  const url = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
  const script = join(folder, "child.mjs");
  await writeFile(
    script,
    `import { settleRecipe } from ${url("recipe.js")};
     import { trainModel } from ${url("loop.js")};
     const recipe = await settleRecipe(${JSON.stringify(input)});
     await trainModel(recipe, { onEvent: (e) => e.kind === "step" && console.log(e.step) });`,
  );
  const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.on("exit", (_, signal) => resolve(signal)),
  );
  for await (const line of createInterface({ input: child.stdout }))
    if (Number(line) === step) child.kill("SIGKILL");
  assert.equal(await ended, "SIGKILL");
}

test("a checkpoint of other settings is refused, and says which", async () => {
  await run({ ...tiny(), name: "short", steps: 2 });
  await assert.rejects(run({ ...tiny(), name: "short", steps: 2, lr: 1, resume: "latest" }), /lr was 0\.01/);
});

test("an aborted run writes a checkpoint first", async () => {
  const controller = new AbortController();
  const recipe = await settleRecipe({
    logs: folder,
    trainData: join(folder, "pairs.tsv"),
    ...tiny(),
    name: "aborted",
  });
  const events: string[] = [];
  await assert.rejects(
    trainModel(recipe, {
      signal: controller.signal,
      onEvent: (event) => {
        events.push(event.kind);
        if (event.kind === "step" && event.step === 1) controller.abort();
      },
    }),
    { code: "cancelled" },
  );
  assert.equal(events.at(-1), "checkpoint");
});

/** The bundled model in small: a convolutional trunk and a sentence encoder under new heads. */
const trunks: ClipConfig = {
  embedDim: 12,
  image: {
    kind: "efficientnet-lite",
    imageSize: [32, 32],
    stem: 8,
    stages: [
      { kernel: 3, stride: 1, expand: 1, channels: 8, blocks: 1 },
      { kernel: 3, stride: 2, expand: 2, channels: 12, blocks: 2 },
    ],
    features: 24,
    head: { kind: "mlp", hidden: 16, standardise: true, dropout: [0.1, 0.2] },
  },
  text: {
    kind: "sentence-encoder",
    contextLength: 32,
    vocabSize: 49408,
    padId: 0,
    width: 8,
    table: "uint8",
    features: "result+pooled",
    head: { kind: "mlp", hidden: 16, standardise: true, dropout: [0.1, 0.2] },
  },
  customText: true,
  score: "softmax",
  initLogitScale: 2.6,
};

async function makeTrunks(): Promise<string> {
  const path = join(folder, "trunks");
  const weights = flatten(initialise(clipSpec(trunks), random(3)), isTensor);
  const table = zeros("uint8", [49408, 8]);
  const rng = random("table");
  for (let i = 0; i < table.data.length; i++) table.data[i] = rng.int(256);
  weights.set("text.trunk.embedding.values", table);
  const vocabulary = await readFile(join(packageRoot, "models", "clip-bpe", "bpe_simple_vocab_16e6.txt.gz"));
  await saveModel(path, {
    config: trunks,
    preprocess: { ...clipPreprocess, size: 32 },
    weights,
    tokenizerConfig: { kind: "clip-bpe", cleaning: "clip", pad: "zero", context: 32 },
    tokenizerFiles: new Map([["bpe_simple_vocab_16e6.txt", gunzipSync(vocabulary)]]),
    card: "# trunks\n",
  });
  return path;
}

test("heads over frozen trunks, then the last layers: two stages with cuts, labels and a teacher", async () => {
  const rng = random("teacher");
  await saveSafetensors(join(folder, "teacher.safetensors"), [
    [
      "classifier.weight",
      f32(
        [3, 24],
        Float32Array.from({ length: 72 }, () => rng.normal()),
      ),
    ],
    ["classifier.bias", f32([3], [0, 0, 0])],
  ]);
  const sets = [{ classnames: join(folder, "names.txt"), language: "en" }];
  const cached: number[] = [];
  const result = await run(
    {
      name: "stages",
      model: await makeTrunks(),
      batchSize: 6,
      lr: 0.003,
      wd: 0.1,
      shuffleBuffer: 30,
      steps: 6,
      threads: 1,
      extraCaptions: 3,
      labelData: join(folder, "classes"),
      labelBatchSize: 4,
      labelSets: sets,
      distillClassifier: join(folder, "teacher.safetensors"),
      distillModel: join(folder, "trunks"),
      distillSets: sets,
      promptLanguages: { en: 1 },
      distillClasses: 2,
      lockImage: true,
      lockText: true,
      cutText: "text.pooled",
      standardiseSamples: 24,
      rules: [{ match: "*logit_scale", rate: 5 }],
      logEveryNSteps: 1,
      stages: [
        { cutImage: "image.pooled", cutVersions: 2 },
        {
          cutImage: "image.block.1",
          lockImageUnlockedGroups: 2,
          lockImageFreezeBnStats: true,
          cutVersions: 1,
        },
      ],
    },
    (event) => {
      if (event.kind === "cache") cached.push(event.pictures);
    },
  );
  assert.ok(Math.max(...cached) === 30);
  const [start, end] = await Promise.all([openModel(join(folder, "trunks")), openModel(result.model)]);
  const changed = [...end.weights.keys()].filter(
    (name) => !start.weights.get(name)!.data.every((x, i) => x === end.weights.get(name)!.data[i]),
  );
  assert.deepEqual(changed.filter((name) => name.includes("trunk.")).sort(), [
    "visual.trunk.blocks.1.1.bn1.bias",
    "visual.trunk.blocks.1.1.bn1.weight",
    "visual.trunk.blocks.1.1.bn2.bias",
    "visual.trunk.blocks.1.1.bn2.weight",
    "visual.trunk.blocks.1.1.bn3.bias",
    "visual.trunk.blocks.1.1.bn3.weight",
    "visual.trunk.blocks.1.1.conv_dw.weight",
    "visual.trunk.blocks.1.1.conv_pw.weight",
    "visual.trunk.blocks.1.1.conv_pwl.weight",
    "visual.trunk.bn2.bias",
    "visual.trunk.bn2.weight",
    "visual.trunk.conv_head.weight",
  ]);
  assert.ok(
    changed.includes("visual.head.norm.running_mean") && changed.includes("text.head.mlp.fc2.weight"),
  );
  const log = (await readFile(join(result.folder, "log.jsonl"), "utf8")).trim().split("\n");
  const line = JSON.parse(log.at(-1)!) as Record<string, number>;
  for (const key of [
    "loss",
    "loss_contrastive",
    "loss_labels",
    "loss_distillation",
    "lr",
    "logit_scale",
    "grad_norm",
    "pairs_per_s",
    "data_wait",
  ])
    // prettier-ignore
    assert.ok(Number.isFinite(line[key]), key);
});

test("unknown keys, wrong values and what is missing", async () => {
  await assert.rejects(settleRecipe({ "learning-rate": 1 }), /learningRate/);
  await assert.rejects(settleRecipe({ lr: "much" }), /lr: /);
  await assert.rejects(settleRecipe({ stages: [{ name: "x" }] }), /name/);
  const { runs } = await settleRecipe({ "batch-size": 7, languages: '{"en": 1}', stages: [{ lr: 1 }, {}] });
  assert.deepEqual(runs.map(({ lr, batchSize }) => [lr, batchSize]), [[1, 7], [0.0005, 7]]); // prettier-ignore
  assert.deepEqual(runs[0]!.languages, { en: 1 });
  await assert.rejects(trainModel(await settleRecipe({ logs: folder, model: join(folder, "tiny.json") })), /give --train-data/); // prettier-ignore
});

test("a new model whose text tower knows fewer tokens than its tokenizer is refused", async () => {
  const { model_cfg } = JSON.parse(await readFile(join(folder, "tiny.json"), "utf8")) as {
    model_cfg: { text_cfg: object };
  };
  const small = join(folder, "small.json");
  const text_cfg = { ...model_cfg.text_cfg, vocab_size: 8192 };
  await writeFile(small, JSON.stringify({ model_cfg: { ...model_cfg, text_cfg } }));
  await assert.rejects(run({ ...tiny(), model: small }), /vocab_size is 8192, .* has 49408 tokens/);
});
