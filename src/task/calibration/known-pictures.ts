import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Encoder } from "../../model/index.js";
import { countWords, type Explainer, type Known, type LabelledQuery } from "../../score/index.js";
import { CliptError } from "../../tensor/index.js";
import { readLabelSet, readSamples, type Sample } from "../../train/data/index.js";
import { sum } from "../collection/combine.js";
import { rowsOf, stackVectors } from "../embeddings/embeddings.js";
import { encodePictures } from "../encode-pictures.js";
import { encodeTexts } from "../encode-texts.js";
import { reportTo } from "../evaluate.js";
import { languageOf, templatesFor } from "../labels.js";
import type { Context } from "../task.js";
import { keepCachedVectors, readCachedVectors } from "./cached-vectors.js";
import { evidenceTexts } from "./evidence-texts.js";

/** Pictures that carry the number of a class. */
export interface LabelledData {
  readonly data: string;
  /** Files with the names of the classes, one for each language. */
  readonly classnames: readonly string[];
  /** Which of the templates sentences are made of; all when absent. */
  readonly templates?: (index: number) => boolean;
}

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

/** Queries for classes by their names, bare and in sentences, in every language. */
export async function knownByClass(
  encoded: readonly EncodedSample[],
  { data, classnames, templates: wanted = () => true }: LabelledData,
  encoder: Encoder,
  explain: Explainer,
  context: Context,
): Promise<Known> {
  const labels = encoded.map(({ sample }) => sample.label);
  if (labels.includes(undefined))
    throw new CliptError("input", `Not every picture of ${data} has a class (KEY.cls).`);
  const queries: Asked[] = [];
  for (const file of classnames) {
    const { names } = await readLabelSet({ classnames: file });
    const best = names.map(([first = ""]) => first);
    const language = languageOf(best);
    const sentences = (await templatesFor(best, undefined, encoder.model)).filter((_, i) => wanted(i));
    for (const [label, name] of best.entries()) {
      queries.push({ text: name, label, kind: `${language} names` });
      for (const sentence of sentences)
        queries.push({ text: sentence.replaceAll("{c}", name), label, kind: `${language} sentences` });
    }
  }
  return known(encoded, labels as readonly number[], true, queries, encoder, explain, context);
}

/** Queries for single pictures by their captions; those of other languages than `languages` are left out. */
export function knownByCaption(
  encoded: readonly EncodedSample[],
  languages: readonly string[] | undefined,
  encoder: Encoder,
  explain: Explainer,
  context: Context,
): Promise<Known> {
  const queries = encoded.flatMap(({ sample }, label) =>
    sample.captions.flatMap(({ text, language = languageOf([text]) }) =>
      languages === undefined || languages.includes(language)
        ? [{ text, label, kind: `${language} captions` }]
        : [],
    ),
  );
  if (queries.length === 0) throw new CliptError("input", "No picture has a caption in these languages.");
  return known(
    encoded,
    encoded.map((_, i) => i),
    false,
    queries,
    encoder,
    explain,
    context,
  );
}

interface Asked {
  readonly text: string;
  readonly label: number;
  readonly kind: string;
}

async function known(
  encoded: readonly EncodedSample[],
  labels: readonly number[],
  exclusive: boolean,
  asked: readonly Asked[],
  encoder: Encoder,
  explain: Explainer,
  context: Context,
): Promise<Known> {
  const stacked = stackVectors(encoded.map(({ vector }) => vector));
  return {
    pictures: { vectors: stacked, rows: explain.read(stacked), labels },
    exclusive,
    queries: await encodeQueries(asked, encoder, context),
  };
}

async function encodeQueries(
  asked: readonly Asked[],
  encoder: Encoder,
  context: Context,
): Promise<LabelledQuery[]> {
  const evidence = await Promise.all(asked.map(({ text }) => evidenceTexts(text, encoder.model)));
  const texts = [...new Set(evidence.flat())];
  const rows = rowsOf((await encodeTexts(texts, encoder, context)).features);
  const vectorOf = new Map(texts.map((text, i) => [text, rows[i]!]));
  return asked.map(({ text, label, kind }, i) => {
    const parts = evidence[i]!.map((part) => vectorOf.get(part)!);
    return {
      search: vectorOf.get(text)!,
      evidence: sum(
        parts,
        parts.map(() => 1),
      ),
      label,
      words: countWords(text),
      kind,
    };
  });
}
