import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { constant, inProgram, lighten, type Dtype, type Keep, type Value } from "../graph/index.js";
import { CliptError, messageOf, type Tensor } from "../tensor/index.js";
import { locatedTensor, openWeights, saveSafetensors, type WeightsFile } from "../weights/index.js";

type Results = Readonly<Record<string, Value>>;

/** Changes whenever `lighten` makes other weights, so that kept ones of before are made again. */
export const lightWeightsVersion = "3";

/**
 * A tower's program with light weights. They are made once and kept in a file, from which they are mapped from then on;
 * a file that cannot be read as such is made again, and one that cannot be written is done without.
 *
 * @param path the file; without it the weights are made for this program alone
 */
export async function withLightWeights<R extends Results>(
  results: R,
  dtype: Dtype,
  path: string | undefined,
): Promise<R> {
  if (dtype === "fp32" || path === undefined) return lighten(results, dtype);
  return (await fromFile(results, dtype, path)) ?? (await fromScratch(results, dtype, path));
}

async function fromFile<R extends Results>(results: R, dtype: Dtype, path: string): Promise<R | undefined> {
  const file = await openWeights(path).catch(() => undefined);
  try {
    if (file?.metadata["version"] !== lightWeightsVersion) return undefined;
    return lighten(results, dtype, mappedFrom(file));
  } catch (error) {
    if (error instanceof CliptError) return undefined;
    throw error;
  } finally {
    await file?.close();
  }
}

const mappedFrom =
  (file: WeightsFile): Keep =>
  (name) => {
    const location = file.location(name)!;
    return constant(locatedTensor(file.entry(name), location), { name, location });
  };

async function fromScratch<R extends Results>(results: R, dtype: Dtype, path: string): Promise<R> {
  const made = new Map<string, Tensor>();
  const light = lighten(results, dtype, (name, make) => {
    const tensor = make();
    made.set(name, tensor);
    return inProgram(name, () => tensor);
  });
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await saveSafetensors(path, made, { version: lightWeightsVersion });
  } catch (error) {
    process.emitWarning(`Light weights are not kept: ${messageOf(error)}`);
    return light;
  }
  return (await fromFile(results, dtype, path)) ?? light;
}
