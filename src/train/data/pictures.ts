import { CliptError, type Tensor } from "../../tensor/index.js";
import { inLanguage } from "./captions.js";
import { openPictureRows } from "./decode-pool.js";
import { inOrder } from "./in-order.js";
import { stackRows } from "./loader.js";
import { openSource, type SourceOptions } from "./open-source.js";
import type { PictureOptions } from "./picture-rows.js";
import type { Caption, Sample } from "./sample.js";
import { Skips } from "./skips.js";
import type { Report } from "./source.js";

export interface ReadOptions extends SourceOptions {
  /** Keeps captions of this language, and only pictures that have any. */
  readonly onlyLanguage?: string;
  /** Told of everything that is skipped. */
  readonly report?: Report;
  readonly signal?: AbortSignal;
  /** Ends after so many samples. */
  readonly most?: number | undefined;
}

/**
 * The samples of a data set in its own order, for evaluation.
 *
 * @throws what `openSource` throws, `cancelled`
 */
export async function* readSamples(expression: string, options: ReadOptions = {}): AsyncGenerator<Sample> {
  const { onlyLanguage, signal, most = Infinity } = options;
  const opened = await openSource(expression, options);
  const source = onlyLanguage === undefined ? opened : inLanguage(opened, onlyLanguage);
  const skips = new Skips(options.report);
  let count = 0;
  for (const shard of source.shards)
    for await (const sample of shard.samples(skips.add)) {
      if (signal?.aborted === true)
        throw new CliptError("cancelled", `Reading ${expression} was cancelled.`, { cause: signal.reason });
      yield sample;
      if (++count >= most) return;
    }
}

/** Consecutive pictures of a data set. All lists have one entry a picture. */
export interface PictureBatch {
  readonly keys: readonly string[];
  /** [pictures, 3, height, width] */
  readonly pixels: Tensor<"float32">;
  readonly captions: readonly (readonly Caption[])[];
  readonly labels: readonly (number | undefined)[];
  readonly classNames: readonly (string | undefined)[];
}

export interface PicturesOptions extends ReadOptions {
  readonly batchSize?: number;
  readonly workers?: number;
}

/**
 * The pictures of a data set in its own order, as a model's input; the last batch may be smaller. Broken ones are
 * reported and left out.
 *
 * @throws what `readSamples` throws; `input` when there is no usable picture
 */
export async function* pictures(
  expression: string,
  input: PictureOptions,
  options: PicturesOptions = {},
): AsyncGenerator<PictureBatch> {
  const { batchSize = 32, workers = 1 } = options;
  const skips = new Skips(options.report);
  const rows = openPictureRows(input, workers);
  const samples = readSamples(expression, { ...options, report: skips.add });
  const load = async (sample: Sample) => ({ sample, row: await rows.read(sample) });
  let batch: { sample: Sample; row: Float32Array }[] = [];
  let found = false;
  try {
    for await (const { sample, row } of inOrder(samples, load, batchSize + rows.parallel)) {
      if (!(row instanceof Float32Array)) {
        skips.add({ shard: sample.shard, key: sample.key, reason: row.reason });
        continue;
      }
      found = true;
      batch.push({ sample, row });
      if (batch.length < batchSize) continue;
      yield assemble(batch, rows.shape);
      batch = [];
    }
    if (batch.length > 0) yield assemble(batch, rows.shape);
    if (!found)
      throw new CliptError("input", `No picture in ${expression} can be used.\n${skips.summary()}`.trim());
  } finally {
    await rows.close();
  }
}

function assemble(
  batch: readonly { readonly sample: Sample; readonly row: Float32Array }[],
  shape: readonly number[],
): PictureBatch {
  const samples = batch.map(({ sample }) => sample);
  return {
    keys: samples.map(({ key }) => key),
    pixels: stackRows(
      batch.map(({ row }) => row),
      shape,
    ),
    captions: samples.map(({ captions }) => captions),
    labels: samples.map(({ label }) => label),
    classNames: samples.map(({ className }) => className),
  };
}
