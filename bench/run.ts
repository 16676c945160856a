import type { Benchmark } from "./benchmark.js";

/** Every benchmark by name; a new one is one file and one line here. */
const benchmarks: Record<string, () => Promise<{ default: Benchmark }>> = {
  calibration: () => import("./calibration.js"),
  crash: () => import("./crash.js"),
  encode: () => import("./encode.js"),
  "fast-path": () => import("./fast-path.js"),
  index: () => import("./index.js"),
  "fuzz-readers": () => import("./fuzz-readers.js"),
  load: () => import("./load.js"),
  memory: () => import("./memory.js"),
  "open-clip": () => import("./open-clip.js"),
  resize: () => import("./resize.js"),
  serve: () => import("./serve.js"),
  search: () => import("./search.js"),
  towers: () => import("./towers.js"),
  train: () => import("./train.js"),
};

const [name = "", ...args] = process.argv.slice(2);
const load = benchmarks[name];
if (load === undefined) {
  console.error(`npm run bench -- NAME [--json]. Benchmarks: ${Object.keys(benchmarks).join(", ")}.`);
  process.exitCode = 2;
} else {
  const { default: benchmark } = await load();
  const result = await benchmark.run(args);
  if (args.includes("--json")) console.log(JSON.stringify(result));
  else {
    console.log(benchmark.summary);
    for (const [key, value] of Object.entries(result)) console.log(`  ${key}: ${JSON.stringify(value)}`);
  }
}
