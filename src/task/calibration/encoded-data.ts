import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Encoder } from "../../model/index.js";
import { readSamples, type Sample } from "../../train/data/index.js";
import { rowsOf, stackVectors } from "../embeddings/embeddings.js";
import { encodePictures } from "../encode-pictures.js";
import { reportTo } from "../evaluate.js";
import type { Context } from "../task.js";
import { keepCachedVectors, readCachedVectors } from "./cached-vectors.js";

/** Samples of a data set with the vectors of their pictures. */
export interface EncodedSample {
  readonly sample: Sample;
  readonly vector: Float32Array;
}

/**
 * Encodes the pictures of a data set, as the reference preprocesses them. Broken ones are skipped. Vectors are kept in the
 * user's cache folder: the next fit does not encode again.
 */
export async function encodeData(
  data: string,
  captions: readonly string[],
  encoder: Encoder,
  context: Context,
): Promise<EncodedSample[]> {
  const samples: Sample[] = [];
  for await (const sample of readSamples(data, {
    captions,
    report: reportTo(context),
    signal: context.signal,
  }))
    samples.push(sample);
  const { cacheFolder } = context.services;
  const path = cacheFolder === undefined ? undefined : await cachePath(cacheFolder, encoder, samples);
  const kept = path === undefined ? undefined : await readVectors(path);
  const vectors = kept ?? new Map<string, Float32Array>();
  if (kept === undefined) {
    const decode = { orient: false };
    let done = 0;
    for await (const { item, vector } of encodePictures(
      samples,
      (sample) => sample,
      encoder,
      decode,
      context,
    )) {
      vectors.set(item.key, vector);
      context.emit({ kind: "progress", stage: "pictures", done: ++done, total: samples.length });
    }
    if (path !== undefined) await keepVectors(path, vectors, context);
  }
  return samples.flatMap((sample) => {
    const vector = vectors.get(sample.key);
    return vector === undefined ? [] : [{ sample, vector }];
  });
}

/** Named after the model and the files as they are. */
async function cachePath(folder: string, encoder: Encoder, samples: readonly Sample[]): Promise<string> {
  const paths = [...new Set(samples.map(({ image }) => image.path))];
  const files = await Promise.all(
    paths.map(async (path) => {
      const { size, mtimeMs } = await stat(path);
      return [path, size, mtimeMs];
    }),
  );
  const name = createHash("sha256")
    .update(JSON.stringify([encoder.model.identity, files]))
    .digest("hex");
  return join(folder, "calibration", `${name.slice(0, 40)}.safetensors`);
}

async function readVectors(path: string): Promise<Map<string, Float32Array> | undefined> {
  const found = await readCachedVectors(path);
  const keys = JSON.parse(found?.metadata.keys ?? "[]") as string[];
  const rows = found === undefined ? [] : rowsOf(found.vectors);
  return keys.length === 0 ? undefined : new Map(keys.map((key, i) => [key, rows[i]!]));
}

const keepVectors = (
  path: string,
  vectors: ReadonlyMap<string, Float32Array>,
  context: Context,
): Promise<void> =>
  keepCachedVectors(
    path,
    stackVectors([...vectors.values()]),
    { keys: JSON.stringify([...vectors.keys()]) },
    context,
  );
