import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exportModel } from "../src/task/export.js";
import { option, type Benchmark } from "./benchmark.js";
import type { Answer, Job } from "./encode.child.js";
import { captions, writePictures } from "./encode-files.js";
import { writeVitB32 } from "./vit-b-32.js";

/**
 * Pictures and texts a second, end to end: clipt beside transformers.js on the same files and weights, each engine in a
 * process of its own, taking turns. `--folder F` keeps what is made; `--photos N --small N --texts N --rounds N`.
 */
const benchmark: Benchmark = {
  summary: "clipt beside transformers.js, a model of ViT-B/32's size with random weights",
  async run(args) {
    const number = (name: string, fallback: number) => Number(option(args, name) ?? fallback);
    const kept = option(args, "folder");
    const folder = kept ?? mkdtempSync(join(tmpdir(), "clipt-bench-"));
    try {
      const [model, onnx] = [join(folder, "vit-b-32"), join(folder, "vit-b-32-onnx")];
      await writeVitB32(model);
      for (const dtype of ["fp32", "q8"] as const)
        if (
          !existsSync(
            join(onnx, "onnx", dtype === "fp32" ? "vision_model.onnx" : "vision_model_quantized.onnx"),
          )
        )
          await exportModel({ model, to: "onnx", out: onnx, split: true, dtype });
      const work: readonly Work[] = [
        {
          name: "12 MP",
          kind: "pictures",
          items: await writePictures(join(folder, "12mp"), number("photos", 100), 4000, 3000),
        },
        {
          name: "640×480",
          kind: "pictures",
          items: await writePictures(join(folder, "640x480"), number("small", 200), 640, 480),
        },
        { name: "captions", kind: "texts", items: captions(number("texts", 500)) },
      ];
      const cache = join(folder, "cache");
      const engines = [
        ...["fp32", "q8", "default"].map((dtype) => ({
          name: `clipt ${dtype}`,
          args: ["clipt", model, dtype, cache],
        })),
        ...["fp32", "q8"].map((dtype) => ({
          name: `transformers.js ${dtype}`,
          args: ["transformers.js", onnx, dtype],
        })),
      ];
      return await compare(engines, work, number("rounds", 2));
    } finally {
      if (kept === undefined) rmSync(folder, { recursive: true });
    }
  },
};

interface Work {
  readonly name: string;
  readonly kind: Job["kind"];
  readonly items: readonly string[];
}

/** Sizes that transformers.js is tried with; the best counts. */
const batches: Readonly<Record<Job["kind"], readonly number[]>> = {
  pictures: [1, 8, 32],
  texts: [1, 16, 64],
};

async function compare(
  engines: readonly { readonly name: string; readonly args: readonly string[] }[],
  work: readonly Work[],
  rounds: number,
): Promise<Record<string, unknown>> {
  const results: Record<string, Record<string, unknown>> = {};
  const running: { name: string; batched: boolean; process: ChildProcess }[] = [];
  for (const { name, args } of engines) {
    const process = fork(fileURLToPath(new URL("./encode.child.js", import.meta.url)), args);
    await once(process, "message");
    running.push({ name, batched: args[0] !== "clipt", process });
  }
  const ask = async (process: ChildProcess, job: Job): Promise<Answer> => {
    process.send(job);
    const done = new AbortController();
    const answer = await Promise.race([
      once(process, "message", done),
      once(process, "exit", done).then(() => [undefined]),
    ]).finally(() => done.abort());
    if (answer[0] === undefined) throw new Error("An engine ended early.");
    return answer[0] as Answer;
  };
  for (const { name: what, kind, items } of work) {
    const took = new Map<string, Answer[]>();
    // A first few items are not counted: everything is loaded then, and all threads run.
    for (const { process } of running) await ask(process, { kind, items: items.slice(0, 8), batch: 1 });
    const share = Math.ceil(items.length / rounds);
    for (let round = 0; round < rounds; round++)
      for (const { name, batched, process } of running)
        for (const batch of batched ? batches[kind] : [0]) {
          const part = items.slice(round * share, (round + 1) * share);
          const key = batched ? `${name} ×${batch}` : name;
          took.set(key, [...(took.get(key) ?? []), await ask(process, { kind, items: part, batch })]);
        }
    results[what] = Object.fromEntries(
      [...took].map(([name, answers]) => {
        const sum = (key: "wall" | "cpu") => answers.reduce((total, answer) => total + answer[key], 0);
        return [
          name,
          {
            per_second: items.length / sum("wall"),
            cpu_ms_each: (1000 * sum("cpu")) / items.length,
            peak_mb: Math.max(...answers.map(({ peakMb }) => peakMb)),
          },
        ];
      }),
    );
    results[`${what}, ratios`] = ratios(results[what] as Record<string, Speed>);
  }
  for (const { process } of running) process.kill();
  return results;
}

interface Speed {
  readonly per_second: number;
  readonly cpu_ms_each: number;
}

/** clipt's speed over that of transformers.js at its best, by the clock and by CPU time. */
function ratios(speeds: Readonly<Record<string, Speed>>): Record<string, { clock: number; cpu: number }> {
  const best = (name: string, speed: (one: Speed) => number): number =>
    Math.max(...Object.entries(speeds).flatMap(([key, one]) => (key.startsWith(name) ? speed(one) : [])));
  const compared = (ours: string, theirs: string) => {
    const ratio = (speed: (one: Speed) => number) =>
      best(`clipt ${ours}`, speed) / best(`transformers.js ${theirs}`, speed);
    return { clock: ratio((one) => one.per_second), cpu: ratio((one) => 1 / one.cpu_ms_each) };
  };
  return {
    fp32: compared("fp32", "fp32"),
    q8: compared("q8", "q8"),
    default: compared("default", "fp32"),
  };
}

export default benchmark;
