import { join } from "node:path";
import { separateProducts, weightBytes, type Dtype, type Value } from "../graph/index.js";
import type { Program, Runtime } from "../runtime/index.js";
import { fastestWithinLoss, gainsByBytes } from "./choose-dtype.js";
import { normalize } from "./clip.js";
import type { TowerWeights } from "./encoder.js";
import { withLightWeights } from "./light-weights.js";

export interface TowerOptions {
  /**
   * How weights are held and computed with. "auto": the fastest within the allowed loss (`fastestWithinLoss`) on a CPU,
   * where there is a folder to remember what was found out; else "fp32". Default "fp32".
   */
  readonly dtype?: Dtype | "auto" | undefined;
  /** Where light weights are kept between calls; without it they are made each time. */
  readonly cacheFolder?: string | undefined;
}

/** One tower of a model. */
export interface TowerSource {
  readonly name: "image" | "text";
  /** Of the model. */
  readonly identity: string;
  /** Width of a vector. */
  readonly dim: number;
  /** Features of any number of inputs. */
  readonly features: () => Value;
  /** Features of one input, at most as long as an input can be. */
  readonly one: () => Value;
  /** Vectors of examples by the compiled tower; undefined when there are no examples. */
  readonly examples: (program: Program) => Promise<Float32Array | undefined>;
}

/** A tower that was compiled, and how its weights are held. */
export type OpenTower = Program & TowerWeights;

/** Compiles a tower; its result is named `features`, unit rows. */
export async function openTower(
  { name, identity, dim, features, one, examples }: TowerSource,
  runtime: Runtime,
  { dtype = "fp32", cacheFolder }: TowerOptions,
): Promise<OpenTower> {
  const results = separateProducts({ features: normalize(features()) });
  const kept = cacheFolder && join(cacheFolder, "weights", `${identity}.${name}`);
  const compile = async (dtype: Dtype): Promise<OpenTower> => {
    const light = await withLightWeights(results, dtype, kept && `${kept}.${dtype}.safetensors`);
    return { ...(await runtime.compile(light)), dtype, bytes: weightBytes([light.features]) };
  };
  if (dtype !== "auto") return compile(dtype);
  if (kept === undefined || runtime.device !== "cpu" || !gainsByBytes(one())) return compile("fp32");
  return fastestWithinLoss({ compile, examples, dim, path: `${kept}.q8.json` });
}
