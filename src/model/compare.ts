import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { input, type Value } from "../graph/index.js";
import { evaluate } from "../runtime/index.js";
import {
  CliptError,
  messageOf,
  readError,
  sameShape,
  showShape,
  toFloat32,
  type Tensor,
} from "../tensor/index.js";
import { openWeights, readWeights } from "../weights/index.js";
import { openCheckpoint, type Checkpoint } from "./checkpoint.js";
import { encodeImage, encodeText, logits, normalize } from "./clip.js";
import type { ClipConfig } from "./config.js";
import { towersFile } from "./towers-file.js";
import { constants, readAll } from "./values.js";

/** One tensor of a reference against clipt's own. */
export interface ComparedTensor {
  readonly checkpoint: string;
  readonly name: string;
  /** Largest absolute difference; null when there is nothing to compare. */
  readonly maxAbs: number | null;
  readonly allowed: number;
  readonly ok: boolean;
  /** Why there is nothing to compare. */
  readonly error?: string;
}

export interface ModelComparison {
  readonly ok: boolean;
  readonly tensors: readonly ComparedTensor[];
}

/**
 * Runs checkpoints on the inputs of reference files and compares every tensor that these hold.
 * A checkpoint that cannot be opened is one line with its error, and the others go on.
 *
 * @param path   a file of weights, or a folder: every checkpoint in it against each `golden*.safetensors`;
 *               `golden.NAME.safetensors` goes with `config.NAME.json`. A folder NAME-sharded without one is held against
 *               `golden.safetensors` of NAME beside it, which each line says
 * @param golden another reference
 * @throws       `missing` when there is nothing to compare
 */
export async function compareModel(path: string, golden?: string): Promise<ModelComparison> {
  const info = await stat(path).catch((cause: unknown) => {
    throw readError(path, cause);
  });
  const folder = info.isDirectory() ? path : dirname(path);
  const files = (await readdir(folder)).sort();
  const checkpoints = path === folder ? await checkpointsOf(folder, files) : [basename(path)];
  const goldens = golden === undefined ? await goldensOf(folder, files) : [golden];
  if (checkpoints.length === 0) throw new CliptError("missing", `${folder} holds no checkpoint of a model.`);
  if (goldens.length === 0)
    throw new CliptError("missing", `${folder} holds no golden*.safetensors; name a reference.`);
  const tensors: ComparedTensor[] = [];
  for (const reference of goldens) {
    const variant = /^golden\.(.+)\.safetensors$/.exec(basename(reference))?.[1];
    const configFile = variant === undefined ? undefined : `config.${variant}.json`;
    const borrowed = golden === undefined && !files.includes(basename(reference));
    const note = borrowed ? relative(folder, reference) : configFile;
    for (const name of checkpoints) {
      const label = note === undefined ? name : `${name} (${note})`;
      try {
        tensors.push(...(await compareCheckpoint(join(folder, name), label, reference, configFile)));
      } catch (error) {
        tensors.push({
          checkpoint: label,
          name: "",
          maxAbs: null,
          allowed: 0,
          ok: false,
          error: messageOf(error),
        });
      }
    }
  }
  return { ok: tensors.every(({ ok }) => ok), tensors };
}

const isGolden = (name: string): boolean => /^golden.*\.safetensors$/.test(name);

/** References of a folder; where it has none and is another model in shards, that one's. */
async function goldensOf(folder: string, files: readonly string[]): Promise<string[]> {
  const own = files.filter(isGolden);
  if (own.length > 0) return own.map((name) => join(folder, name));
  const [, whole] = /^(.+)-sharded$/.exec(resolve(folder)) ?? [];
  if (whole === undefined) return [];
  const reference = join(whole, "golden.safetensors");
  return (await stat(reference).catch(() => undefined)) === undefined ? [] : [reference];
}

/** Files that hold a whole model, or cannot be read and might have; shards are named by their index. */
async function checkpointsOf(folder: string, files: readonly string[]): Promise<string[]> {
  if (files.includes(towersFile)) return [towersFile];
  const result: string[] = [];
  for (const name of files) {
    if (!/\.(safetensors|pt|pth|bin|index\.json)$/.test(name) || isGolden(name) || /-\d+-of-\d+\./.test(name))
      continue;
    const opened = await openWeights(join(folder, name)).catch(() => undefined);
    if (opened === undefined || opened.names().includes("logit_scale")) result.push(name);
    await opened?.close();
  }
  return result;
}

async function compareCheckpoint(
  path: string,
  label: string,
  reference: string,
  configFile: string | undefined,
): Promise<ComparedTensor[]> {
  const checkpoint = await openCheckpoint(path, { configFile });
  try {
    const expected = await readReference(reference);
    const results = await compute(checkpoint, expected);
    return [...expected]
      .filter(([name]) => !isInput(name))
      .map(([name, tensor]) => ({
        checkpoint: label,
        ...compareTensor(name, tensor, results[name], allowedFor(name, checkpoint.config)),
      }));
  } finally {
    await checkpoint.weights.close();
  }
}

/** Names of the inputs of a reference; all its other tensors are results. */
const inputs = { pixels: "pixel_values", ids: "input_ids" };
const isInput = (name: string): boolean => Object.values(inputs).includes(name);

/** A reference for a variant may leave out inputs that are those of the plain one beside it. */
async function readReference(path: string): Promise<Map<string, Tensor>> {
  const own = await readWeights(path);
  if (own.has(inputs.pixels) && own.has(inputs.ids)) return own;
  const shared = await readWeights(join(dirname(path), "golden.safetensors"));
  return new Map([...[...shared].filter(([name]) => isInput(name)), ...own]);
}

/** Everything that a reference may hold, by its names there. */
async function compute(
  { config, weights }: Checkpoint,
  expected: ReadonlyMap<string, Tensor>,
): Promise<Record<string, Tensor>> {
  const pixels = expected.get(inputs.pixels);
  const ids = expected.get(inputs.ids);
  if (pixels === undefined || ids === undefined)
    throw new CliptError("format", `The reference lacks its inputs, ${inputs.pixels} and ${inputs.ids}.`);
  const outputs: Record<string, Value> = {};
  const tap = (name: string, value: Value) => {
    outputs[`tap.${name}`] = value;
  };
  const { tensors, locations } = await readAll(weights);
  const w = constants(config, tensors, locations);
  const [pictures, texts] = [input(inputs.pixels, pixels.shape), input(inputs.ids, ids.shape, ids.dtype)];
  encodeImage(config, w, pictures, { tap });
  encodeText(config, w, texts, { tap });
  // Features come from the pass that everybody else runs: with a tap, a tower may compute more.
  const image = encodeImage(config, w, pictures);
  const text = encodeText(config, w, texts);
  outputs["image_features"] = image;
  outputs["text_features"] = text;
  outputs["image_features_normalised"] = normalize(image);
  outputs["text_features_normalised"] = normalize(text);
  outputs["logits_per_image"] = logits(w, normalize(image), normalize(text));
  const wanted = Object.entries(outputs).filter(([name]) => expected.has(name));
  return evaluate(Object.fromEntries(wanted), { [inputs.pixels]: toFloat32(pixels), [inputs.ids]: ids });
}

/** Largest absolute difference that a float32 program may show against float64. Source: docs/parity.md. */
interface Allowances {
  readonly taps: number;
  readonly features: number;
  readonly unit: number;
  readonly logits: number;
}
const transformers: Allowances = { taps: 5e-5, features: 2e-5, unit: 5e-6, logits: 5e-5 };
/** Deep sums of convolutions round more. */
const convolutions: Allowances = { ...transformers, taps: 1e-4, features: 1e-4 };
const convolutional: readonly string[] = ["resnet", "efficientnet-lite", "fastvit"];

function allowedFor(name: string, { image, score }: ClipConfig): number {
  const allowances = convolutional.includes(image.kind) ? convolutions : transformers;
  if (name.startsWith("tap.")) return allowances.taps;
  if (name.startsWith("logits")) return score === "sigmoid" ? 2e-4 : allowances.logits;
  return name.endsWith("_normalised") ? allowances.unit : allowances.features;
}

function compareTensor(
  name: string,
  expected: Tensor,
  got: Tensor | undefined,
  allowed: number,
): Omit<ComparedTensor, "checkpoint"> {
  const failed = (error: string) => ({ name, maxAbs: null, allowed, ok: false, error });
  if (got === undefined) return failed("clipt computes no such tensor");
  if (!sameShape(got.shape, expected.shape))
    return failed(`${showShape(got.shape)} instead of ${showShape(expected.shape)}`);
  const [a, b] = [toFloat32(got).data, toFloat32(expected).data];
  let maxAbs = 0;
  for (let i = 0; i < a.length; i++) {
    const gap = Math.abs(a[i]! - b[i]!);
    if (Number.isNaN(gap)) return failed(`number ${i} is ${a[i]} instead of ${b[i]}`);
    maxAbs = Math.max(maxAbs, gap);
  }
  return { name, maxAbs, allowed, ok: maxAbs <= allowed };
}
