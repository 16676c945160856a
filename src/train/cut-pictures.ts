import { createHash } from "node:crypto";
import { constant, gemm, input, reshape, slice, type Value } from "../graph/index.js";
import { constants, encodeImage, type Model } from "../model/index.js";
import type { Program, Runtime } from "../runtime/index.js";
import { CliptError, f32, toFloat32, type Tensor } from "../tensor/index.js";
import { openWeights } from "../weights/index.js";
import type { PictureRows } from "./batches.js";
import {
  createFeatureCache,
  openFeatureCache,
  openFeatureRows,
  subSeed,
  type FeatureLayout,
  type Report,
  type RowReader,
  type Sample,
  type Source,
} from "./data/index.js";
import { inOrder } from "./data/in-order.js";
import { frozenPoints } from "./tower.js";

/** A linear classifier over pooled features; its logits are what a student is taught. */
export interface Classifier {
  /** [classes, features] */
  readonly weight: Tensor<"float32">;
  /** [classes] */
  readonly bias: Tensor<"float32">;
  /** SHA-256 of both. */
  readonly identity: string;
}

/** @throws `missing`, `format` when the file holds no classifier */
export async function readClassifier(path: string): Promise<Classifier> {
  const file = await openWeights(path);
  try {
    const layer = ["classifier", "_fc", "fc", "head"].find((name) => file.names().includes(`${name}.weight`));
    if (layer === undefined)
      throw new CliptError(
        "format",
        `${path} holds no classifier: no weight is called classifier, _fc, fc or head.`,
      );
    const weight = toFloat32(await file.read(`${layer}.weight`));
    const bias = toFloat32(await file.read(`${layer}.bias`));
    const identity = createHash("sha256").update(weight.data).update(bias.data).digest("hex");
    return { weight, bias, identity };
  } finally {
    await file.close();
  }
}

/** The frozen part of an image tower as a program: "cut" and "teacher", each where it is wanted. */
export interface FrozenPictures {
  readonly program: Program;
  /** Shape of one row at the cut; absent without a cut. */
  readonly cutShape?: readonly number[] | undefined;
  /** Classes of the teacher; 0 without one. */
  readonly taught: number;
  /** Of the teacher's classifier. */
  readonly teacher?: string | undefined;
}

type Frozen = Pick<Model, "config" | "weights" | "locations">;

export interface FrozenOptions {
  readonly runtime: Runtime;
  readonly start: Frozen;
  readonly cut?: string | undefined;
  /** A classifier, and the model whose pooled features it was made for. */
  readonly teacher?: { readonly model: Frozen; readonly classifier: Classifier } | undefined;
}

/** Weights are constants of this program: ONNX Runtime lays out convolutions for speed only then. */
export async function compileFrozen({
  runtime,
  start,
  cut,
  teacher,
}: FrozenOptions): Promise<FrozenPictures> {
  const pixels = input("pixels", ["batch", 3, ...start.config.image.imageSize]);
  const outputs: Record<string, Value> = {};
  const points = new Map<Frozen, (point: string) => Value>();
  // A model is written once: its cut and its teacher share all that lies before them.
  const pointOf = (model: Frozen, point: string): Value => {
    const known = points.get(model) ?? pointsOf(model, pixels);
    points.set(model, known);
    return known(point);
  };
  let cutShape: readonly number[] | undefined;
  if (cut !== undefined) {
    const row = pointOf(start, cut);
    cutShape = row.shape.slice(1) as number[];
    outputs["cut"] = reshape(row, [row.shape[0]!, -1]);
  }
  if (teacher !== undefined) {
    const { weight, bias } = teacher.classifier;
    // A tower's head may read more than its classifier did, behind what that read.
    const pooled = slice(pointOf(teacher.model, "image.pooled"), 1, 0, weight.shape[1]!);
    outputs["teacher"] = gemm(pooled, constant(weight), { transB: true, bias: constant(bias) });
  }
  const program = await runtime.compile(outputs);
  return {
    program,
    cutShape,
    taught: teacher?.classifier.weight.shape[0] ?? 0,
    teacher: teacher?.classifier.identity,
  };
}

function pointsOf({ config, weights, locations }: Frozen, pixels: Value): (point: string) => Value {
  const values = constants(config, weights, locations);
  return frozenPoints((x, context) => encodeImage(config, values, x, context), pixels, "image");
}

/** Pixels as they are, with the teacher's logits computed in each step where there is a teacher. */
export const pixelRows = (frozen: FrozenPictures | undefined): PictureRows => ({
  read: async (rows) => ({
    image: rows,
    teacher: frozen && ((await frozen.program.run({ pixels: rows }))["teacher"] as Tensor<"float32">),
  }),
});

/** Kept rows: the values at the cut, then the teacher's logits. */
export const cutRows = ({ cutShape = [], taught }: FrozenPictures): PictureRows => ({
  read: async ({ shape: [count = 0, width = 0], data }) => {
    const size = width - taught;
    const image = new Float32Array(count * size);
    const teacher = new Float32Array(count * taught);
    for (let i = 0; i < count; i++) {
      image.set(data.subarray(i * width, i * width + size), i * size);
      teacher.set(data.subarray(i * width + size, (i + 1) * width), i * taught);
    }
    return {
      image: f32([count, ...cutShape], image),
      teacher: taught === 0 ? undefined : f32([count, taught], teacher),
    };
  },
});

export interface KeepOptions {
  readonly folder: string;
  readonly sources: readonly Source[];
  /** Decoded pictures; closed when done. */
  readonly pictures: RowReader;
  readonly frozen: FrozenPictures;
  /** Everything that the rows depend on. */
  readonly depends: unknown;
  readonly versions: number;
  readonly seed: number;
  readonly report: Report;
  readonly onProgress: (pictures: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Rows of one run of the frozen part: few, so that a layer's values stay in the processor's cache. */
const atOnce = 8;

/**
 * The rows of all pictures at a cut, from the cache or computed now. The first version of a picture is plain, the
 * others are augmented.
 */
export async function keepRows(options: KeepOptions): Promise<RowReader> {
  const { folder, frozen, pictures, versions } = options;
  const width = (frozen.cutShape ?? []).reduce((a, b) => a * b, 1) + frozen.taught;
  const shards = options.sources.flatMap(({ shards }) => shards.map(({ name }) => name));
  const identity = createHash("sha256")
    .update(JSON.stringify([options.depends, shards]))
    .digest("hex");
  const layout: FeatureLayout = { identity, rowShape: [width], dtype: "float16", versions };
  try {
    const known = await openFeatureCache(folder, layout);
    return openFeatureRows(known ?? (await fill(options, layout)));
  } finally {
    await pictures.close();
  }
}

async function fill(options: KeepOptions, layout: FeatureLayout) {
  const { pictures, frozen, versions, seed, report, signal } = options;
  const writer = await createFeatureCache(options.folder, layout);
  const pixelsOf = pictures.shape.reduce((a, b) => a * b);
  const load = async (sample: Sample) => {
    const rows = await Promise.all(
      Array.from({ length: versions }, (_, v) =>
        pictures.read(sample, v === 0 ? undefined : subSeed(seed, "version", v, sample.key)),
      ),
    );
    const broken = rows.find((row) => !(row instanceof Float32Array));
    if (broken !== undefined && "reason" in broken)
      report({ shard: sample.shard, key: sample.key, reason: broken.reason });
    return { sample, rows: broken === undefined ? (rows as Float32Array[]) : [] };
  };
  let waiting: { sample: Sample; rows: Float32Array[] }[] = [];
  let done = 0;
  const flush = async (): Promise<void> => {
    const rows = waiting.flatMap((item) => item.rows);
    const pixels = new Float32Array(rows.length * pixelsOf);
    rows.forEach((row, i) => pixels.set(row, i * pixelsOf));
    const results = await frozen.program.run({ pixels: f32([rows.length, ...pictures.shape], pixels) });
    const parts = ["cut", "teacher"].flatMap((name) => {
      const result = results[name];
      return result === undefined ? [] : [{ data: result.data as Float32Array, width: result.shape[1]! }];
    });
    for (const [i, { sample }] of waiting.entries()) {
      const kept = Array.from({ length: versions }, (_, v) => {
        const row = new Float32Array(layout.rowShape[0]!);
        let at = 0;
        for (const { data, width } of parts) {
          const place = i * versions + v;
          row.set(data.subarray(place * width, (place + 1) * width), at);
          at += width;
        }
        return row;
      });
      await writer.write(sample.key, kept);
    }
    done += waiting.length;
    options.onProgress(done);
    waiting = [];
  };
  try {
    for await (const item of inOrder(distinct(options), load, atOnce)) {
      if (signal?.aborted === true)
        throw new CliptError("cancelled", "Computing frozen features was cancelled.");
      if (item.rows.length > 0) waiting.push(item);
      if (waiting.length * versions >= atOnce) await flush();
    }
    if (waiting.length > 0) await flush();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
  return writer.finish();
}

/** Every sample once. Keys name rows, so two pictures cannot share one. */
async function* distinct({ sources, report }: KeepOptions): AsyncGenerator<Sample> {
  const places = new Map<string, string>();
  for (const { shards } of sources)
    for (const shard of shards)
      for await (const sample of shard.samples(report)) {
        const { path, offset } = sample.image;
        const place = `${path}:${offset}`;
        const known = places.get(sample.key);
        if (known === undefined) {
          places.set(sample.key, place);
          yield sample;
        } else if (known !== place)
          report({
            shard: sample.shard,
            key: sample.key,
            reason: "another picture has the same key, by which features are kept",
          });
      }
}
