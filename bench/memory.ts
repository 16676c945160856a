import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Dtype } from "../src/graph/index.js";
import { option, steadyMemory, type Benchmark } from "./benchmark.js";
import { writePictures } from "./encode-files.js";
import type { Order, Peak } from "./memory.child.js";
import { writeVitB32 } from "./vit-b-32.js";

const counts = [1000, 5000, 10_000];
const textCounts = [1000, 10_000, 50_000];

/**
 * Peak memory of one process after many pictures and texts. `--model M` instead of ViT-B/32's size, `--dtype D`,
 * `--pictures N` and `--texts N` end earlier, `--folder F` keeps what is made.
 */
const benchmark: Benchmark = {
  summary: "Peak memory at 1,000, 5,000 and 10,000 pictures and 50,000 texts: flat within 5 % from 1,000 on",
  async run(args) {
    const most = (name: string, all: readonly number[]) =>
      all.filter((count) => count <= Number(option(args, name) ?? Infinity));
    const kept = option(args, "folder");
    const folder = kept ?? mkdtempSync(join(tmpdir(), "clipt-bench-"));
    try {
      const pictures = join(folder, "mixed");
      // Phones' and cameras' photographs among smaller ones: memory that is freed must fit the next one.
      await writePictures(join(pictures, "small"), 48, 640, 480);
      await writePictures(join(pictures, "medium"), 12, 1600, 1200);
      const [first] = await writePictures(join(pictures, "large"), 4, 4000, 3000);
      const model = option(args, "model") ?? join(folder, "vit-b-32");
      if (option(args, "model") === undefined) await writeVitB32(model);
      const peaks = await measure({
        model: model === "bundled" ? undefined : model,
        dtype: option(args, "dtype") as Dtype | undefined,
        cacheFolder: join(folder, "cache"),
        folder: dirname(dirname(first!)),
        pictures: most("pictures", counts),
        texts: most("texts", textCounts),
      });
      return {
        peaks,
        growth: Object.fromEntries(["pictures", "texts"].map((what) => [what, growth(peaks, what)])),
      };
    } finally {
      if (kept === undefined) rmSync(folder, { recursive: true });
    }
  },
};

async function measure(order: Order): Promise<Peak[]> {
  const peaks: Peak[] = [];
  const child = fork(fileURLToPath(new URL("./memory.child.js", import.meta.url)), { env: steadyMemory });
  child.on("message", (peak: Peak) => {
    peaks.push(peak);
    console.error(`${peak.count} ${peak.what}: at most ${peak.peakMb.toFixed(0)} MB`);
  });
  child.send(order);
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`The child ended with ${code}.`);
  return peaks;
}

/** The last peak over that at 1,000. */
function growth(peaks: readonly Peak[], what: string): number | undefined {
  const its = peaks.filter((peak) => peak.what === what);
  return its.length < 2 ? undefined : its.at(-1)!.peakMb / its[0]!.peakMb;
}

export default benchmark;
