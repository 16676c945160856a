import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { linearWork, type Dtype, type Value } from "../graph/index.js";
import type { Program } from "../runtime/index.js";
import { messageOf } from "../tensor/index.js";
import { replaceFile } from "../weights/index.js";
import { lightWeightsVersion } from "./light-weights.js";

/** The least cosine between the vectors of a tower in bytes and in float32 that the default accepts. */
export const leastCosine = 0.99;

/** A tower that does less than this in its linear layers is fast as it is: floating-point operations a picture or text. */
const worthLightening = 1e8;
/** Share of its work that linear layers must do: convolutions do not become faster. */
const mostlyLinear = 0.75;

/** Whether bytes would make a tower faster. `features`: of one picture, or of one text of full length. */
export const gainsByBytes = (features: Value): boolean =>
  isMostlyLinear(features) && linearWork([features]).linear >= worthLightening;

/** Whether a tower spends its time in products of matrices. */
export function isMostlyLinear(features: Value): boolean {
  const { linear, others } = linearWork([features]);
  return linear >= mostlyLinear * (linear + others);
}

/** A tower in any precision. */
export interface Precisions<P extends Program> {
  compile(dtype: Dtype): Promise<P>;
  /** Vectors of examples, unit rows of `dim`; undefined when there are no examples. */
  examples(program: Program): Promise<Float32Array | undefined>;
  readonly dim: number;
  /** File that remembers how much is lost. */
  readonly path: string;
}

/**
 * A tower in the fastest precision within the allowed loss: bytes, where its vectors of examples are near enough to those
 * of float32, which is found out once for every model.
 */
export async function fastestWithinLoss<P extends Program>(tower: Precisions<P>): Promise<P> {
  const known = await readCosine(tower.path);
  if (known !== undefined) return tower.compile(known >= leastCosine ? "q8" : "fp32");
  const [exact, light] = await Promise.all([tower.compile("fp32"), tower.compile("q8")]);
  const [wanted, got] = [await tower.examples(exact), await tower.examples(light)];
  if (wanted === undefined || got === undefined) {
    await light.close();
    return exact;
  }
  const cosine = least(wanted, got, tower.dim);
  await writeCosine(tower.path, cosine);
  const [kept, left] = cosine >= leastCosine ? [light, exact] : [exact, light];
  await left.close();
  return kept;
}

/** The least cosine of two lists of unit rows. */
function least(a: Float32Array, b: Float32Array, dim: number): number {
  let result = 1;
  for (let row = 0; row < a.length; row += dim) {
    let cosine = 0;
    for (let i = row; i < row + dim; i++) cosine += a[i]! * b[i]!;
    result = Math.min(result, cosine);
  }
  return result;
}

async function readCosine(path: string): Promise<number | undefined> {
  try {
    const { version, cosine } = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    return version === lightWeightsVersion && typeof cosine === "number" ? cosine : undefined;
  } catch {
    // Whatever is wrong with it, it can be found out again.
    return undefined;
  }
}

async function writeCosine(path: string, cosine: number): Promise<void> {
  const text = JSON.stringify({ version: lightWeightsVersion, cosine });
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await replaceFile(path, [new TextEncoder().encode(text)]);
  } catch (error) {
    process.emitWarning(`The check of light weights is not kept: ${messageOf(error)}`);
  }
}
