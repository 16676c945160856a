import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { gunzipSync } from "node:zlib";
import { flops, gemm, input } from "../src/graph/index.js";
import { clipTokenizer, readClipVocabulary } from "../src/input/text/index.js";
import { clipSpec, initialise, type ClipConfig } from "../src/model/index.js";
import { nodeRuntime } from "../src/runtime/index.js";
import {
  f32,
  flatten,
  i64,
  isTensor,
  random,
  shuffle,
  sizeOf,
  type Random,
  type Tensor,
} from "../src/tensor/index.js";
import type { Objective } from "../src/train/objective.js";
import { wholeGraph } from "../src/train/step-graphs.js";
import { shapeOf, type Part } from "../src/train/step.js";
import { openTrainer } from "../src/train/trainer.js";
import { median, option, timed, type Benchmark } from "./benchmark.js";

const block = { width: 256, heads: 4, mlpWidth: 1024, activation: "quick_gelu", eps: 1e-5 } as const;
const contextLength = 32;
/** 64 px in patches of 8; 10.2 million weights. */
const config: ClipConfig = {
  embedDim: 256,
  image: {
    kind: "vit",
    imageSize: [64, 64],
    patchSize: 8,
    layers: 6,
    pool: "tok",
    lnPre: true,
    lnAfterPool: false,
    ...block,
  },
  text: {
    kind: "transformer",
    contextLength,
    vocabSize: 8192,
    layers: 4,
    causal: true,
    pool: "argmax",
    projection: "matrix",
    ...block,
  },
  customText: false,
  score: "softmax",
  initLogitScale: Math.log(1 / 0.07),
};
const objective: Objective = { contrastive: "softmax" };

/** Pictures of noise and texts of random ids: the time does not depend on what they show. */
function randomPart(lengths: readonly number[], length: number, rng: Random): Part {
  const batch = lengths.length;
  const pixels = Float32Array.from({ length: batch * 3 * 64 * 64 }, () => rng.normal());
  const ids = lengths.flatMap((own) =>
    Array.from({ length }, (_, i) => (i === own - 1 ? 8191 : i < own ? 1 + rng.int(8189) : 0)),
  );
  const groups = i64([batch], [...Array(batch).keys()]);
  return {
    image: f32([batch, 3, 64, 64], pixels),
    text: i64([batch, length], ids),
    lengths,
    rows: { pairs: batch, labelled: 0, captions: batch, classes: 0, taught: 0 },
    pictureGroups: groups,
    textGroups: groups,
  };
}

/** Batches whose texts are as long as those of a file are, one a line: in ids of CLIP's own vocabulary. */
async function captionParts(path: string, batch: number, rng: Random): Promise<Part[]> {
  const vocabulary = await readFile(
    new URL("../../models/clip-bpe/bpe_simple_vocab_16e6.txt.gz", import.meta.url),
  );
  const tokenizer = clipTokenizer(readClipVocabulary(gunzipSync(vocabulary).toString()));
  const captions = (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
  const lengths = shuffle(captions, rng).map((text) => tokenizer.encode(text, contextLength).ids.length);
  return Array.from({ length: Math.min(8, Math.floor(lengths.length / batch)) }, (_, i) => {
    const own = lengths.slice(i * batch, (i + 1) * batch);
    return randomPart(own, Math.ceil(Math.max(...own) / 8) * 8, rng);
  });
}

/** Another trainer that makes N steps for each line `N` and answers with its seconds; see compare-pytorch.md. */
function rival(command: string): {
  steps(n: number): Promise<{ wall: number; cpu: number; rss_mb: number }>;
  end(): void;
} {
  const child = spawn(command, { shell: true, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async steps(n) {
      child.stdin.write(`${n}\n`);
      const line = await lines.next();
      if (line.done === true) throw new Error(`"${command}" ended without an answer.`);
      return JSON.parse(line.value) as { wall: number; cpu: number; rss_mb: number };
    },
    end: () => void child.stdin.end(),
  };
}

const benchmark: Benchmark = {
  summary:
    "Training step of a small CLIP (64 px, 10.2 M weights), optimiser included, beside the product of matrices it is made of",
  async run(args) {
    const number = (name: string, otherwise: number) => Number(option(args, name) ?? otherwise);
    const [batch, length, threads] = [
      number("batch", 64),
      number("length", contextLength),
      number("threads", 2),
    ];
    const [rounds, stepsPerRound] = [number("rounds", 5), number("steps", 3)];
    const [against, captions] = [option(args, "against"), option(args, "captions")];

    const runtime = nodeRuntime({ threads });
    const spec = clipSpec(config);
    const weights = flatten(initialise(spec, random(1)), isTensor);
    const schedule = { kind: "const", warmup: 0, total: 1 } as const;
    const optimiser = { lr: 5e-4, schedule, beta1: 0.9, beta2: 0.98, eps: 1e-6, wd: 0.2 };
    const trainer = openTrainer({
      runtime,
      config,
      spec,
      objective,
      weights,
      picture: [3, 64, 64],
      optimiser,
    });
    const rng = random([1, "bench"]);
    const parts =
      captions === undefined
        ? [randomPart(Array<number>(batch).fill(length), length, rng)]
        : await captionParts(captions, batch, rng);
    const steps = async (n: number) => {
      for (let i = 0; i < n; i++) await trainer.step([parts[trainer.steps % parts.length]!], rng);
    };

    // The memory of training alone: what measures it comes after.
    await steps(4);
    const peakRss = process.resourceUsage().maxRSS / 1024;

    const graph = {
      config,
      spec,
      objective,
      picture: [3, 64, 64],
      trained: trainer.trained.names,
      dtypeOf: () => "float32" as const,
    };
    const tokensOf = ({ lengths = [] }: Part): number => lengths.reduce((a, b) => a + b, 0);
    const mean = (of: (part: Part) => number): number =>
      parts.reduce((sum, part) => sum + of(part), 0) / parts.length;
    const flopPerStep = mean((part) => {
      const { image, text, rows } = shapeOf(part);
      const tokens = text.tokens === undefined ? undefined : tokensOf(part);
      const shape = { image, text: { ...text, shape: part.text.shape, tokens }, rows };
      return flops(Object.values(wholeGraph(graph, shape).outputs));
    });

    const [rows, inner, columns] = [1600, 768, 3072];
    const ceilingProgram = await runtime.compile({
      y: gemm(input("a", [rows, inner]), input("b", [columns, inner]), { transB: true }),
    });
    const filled = (shape: number[]): Tensor => f32(shape, new Float32Array(sizeOf(shape)).fill(0.5));
    const operands = { a: filled([rows, inner]), b: filled([columns, inner]) };
    const ceiling = async () => {
      const { wall } = await timed(async () => {
        for (let i = 0; i < 10; i++) await ceilingProgram.run(operands);
      });
      return (10 * 2 * rows * inner * columns) / wall / 1e9;
    };

    const other = against === undefined ? undefined : rival(against);
    await other?.steps(2);
    const ours: { wall: number; cpu: number }[] = [];
    const theirs: { wall: number; cpu: number; rss_mb: number }[] = [];
    const ceilings: number[] = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(await timed(() => steps(stepsPerRound)));
      if (other !== undefined) theirs.push(await other.steps(stepsPerRound));
      ceilings.push(await ceiling());
    }
    other?.end();
    await runtime.close();

    const wall = median(ours.map((t) => t.wall)) / stepsPerRound;
    const gflops = flopPerStep / wall / 1e9;
    const result = {
      batch,
      text_length: mean(tokensOf) / batch,
      threads,
      parameters: trainer.trained.count,
      pairs_per_s: batch / wall,
      cpu_s_per_step: median(ours.map((t) => t.cpu)) / stepsPerRound,
      gflop_per_pair: flopPerStep / batch / 1e9,
      gflop_per_s: gflops,
      gemm_ceiling_gflop_per_s: median(ceilings),
      utilisation: gflops / median(ceilings),
      peak_rss_mb: peakRss,
    };
    if (theirs.length === 0) return result;
    const rivalWall = median(theirs.map((t) => t.wall)) / stepsPerRound;
    return {
      ...result,
      rival_pairs_per_s: batch / rivalWall,
      rival_cpu_s_per_step: median(theirs.map((t) => t.cpu)) / stepsPerRound,
      rival_peak_rss_mb: theirs.at(-1)!.rss_mb,
      ratio: rivalWall / wall,
      ratio_per_round: theirs.map((t, i) => t.wall / ours[i]!.wall),
    };
  },
};

export default benchmark;
