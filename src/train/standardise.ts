import { input } from "../graph/index.js";
import { encodeImage, encodeText } from "../model/index.js";
import type { Program, Runtime } from "../runtime/index.js";
import { f32, type Tensor } from "../tensor/index.js";
import type { Batches } from "./batches.js";
import { weightInputs, type StepConfig } from "./step-graphs.js";
import { behindCut, frozenPart, type Forward } from "./tower.js";

export interface StandardiseOptions extends Pick<StepConfig, "config" | "spec" | "picture" | "cuts"> {
  readonly runtime: Runtime;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly batches: Batches;
  /** Pictures to look at, and about as many texts. */
  readonly samples: number;
}

const towers = [
  { name: "image", norm: "visual.head.norm" },
  { name: "text", norm: "text.head.norm" },
] as const;

/** Share of the features' mean spread that is added to each spread, so that a feature that hardly varies stays small. */
const damping = 0.05;

/**
 * Means and variances of pooled features for heads that standardise them and have none yet.
 *
 * @returns the weights, with those statistics in their place
 */
export async function standardise(options: StandardiseOptions): Promise<ReadonlyMap<string, Tensor>> {
  const { weights, batches, samples } = options;
  const fresh = towers.filter(({ norm }) => isFresh(weights, norm));
  if (fresh.length === 0) return weights;
  const seen = new Map(fresh.map(({ name }) => [name, new Moments()]));
  const programs = new Map<string, Promise<Program>>();
  for (let step = 0, count = 0; count < samples; step++) {
    const { parts } = await batches.next(step);
    for (const part of parts) {
      for (const { name } of fresh) {
        const rows = part[name];
        const key = JSON.stringify([name, rows.shape]);
        const program = programs.get(key) ?? compilePooled(options, name, rows);
        programs.set(key, program);
        const compiled = await program;
        const feeds = compiled.inputs.map((input) => [input, weights.get(input) ?? rows]);
        const { pooled } = await compiled.run(Object.fromEntries(feeds) as Record<string, Tensor>);
        seen.get(name)!.add(pooled!);
      }
      count += part.rows.pairs + part.rows.labelled;
    }
  }
  const changed = new Map(weights);
  for (const { name, norm } of fresh) {
    const { mean, variance } = seen.get(name)!.result();
    changed.set(`${norm}.running_mean`, f32([mean.length], mean));
    changed.set(`${norm}.running_var`, f32([variance.length], variance));
  }
  return changed;
}

/** Whether a head has statistics, and they are still those of a new one. */
function isFresh(weights: ReadonlyMap<string, Tensor>, norm: string): boolean {
  const mean = weights.get(`${norm}.running_mean`);
  const variance = weights.get(`${norm}.running_var`);
  return (
    mean !== undefined &&
    variance !== undefined &&
    Array.from(mean.data, Number).every((x) => x === 0) &&
    Array.from(variance.data, Number).every((x) => x === 1)
  );
}

function compilePooled(
  { runtime, config, spec, weights, picture, cuts }: StandardiseOptions,
  name: "image" | "text",
  rows: Tensor,
): Promise<Program> {
  const values = weightInputs({ spec, dtypeOf: (weight) => weights.get(weight)?.dtype ?? "float32" });
  const encode = name === "image" ? encodeImage : encodeText;
  const forward: Forward = (x, context) => encode(config, values, x, context);
  const point = `${name}.pooled`;
  const cut = cuts?.[name];
  const count = rows.shape[0]!;
  const own = name === "image" ? input("uncut", [count, ...picture]) : input("uncut", [count, 8], "int64");
  const pooled =
    cut === undefined
      ? frozenPart(forward, input(`batch.${name}`, rows.shape, rows.dtype), name, point)
      : behindCut(forward, own, name, { cut, point });
  return runtime.compile({ pooled });
}

/** Running sums of rows. */
class Moments {
  #count = 0;
  #sum = new Float64Array(0);
  #squares = new Float64Array(0);

  add({ shape, data }: Tensor): void {
    const [rows = 0, width = 0] = shape;
    if (this.#sum.length === 0) {
      this.#sum = new Float64Array(width);
      this.#squares = new Float64Array(width);
    }
    for (let i = 0; i < data.length; i++) {
      const value = Number(data[i]);
      this.#sum[i % width]! += value;
      this.#squares[i % width]! += value * value;
    }
    this.#count += rows;
  }

  result(): { mean: Float32Array; variance: Float32Array } {
    const mean = Float32Array.from(this.#sum, (sum) => sum / this.#count);
    const spread = this.#squares.map((sum, i) => Math.sqrt(Math.max(0, sum / this.#count - mean[i]! ** 2)));
    const added = (damping * spread.reduce((a, b) => a + b, 0)) / spread.length;
    return { mean, variance: Float32Array.from(spread, (s) => (s + added) ** 2) };
  }
}
