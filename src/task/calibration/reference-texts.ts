import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Encoder } from "../../model/index.js";
import { packageRoot } from "../../package-root.js";
import { readError, type Tensor } from "../../tensor/index.js";
import { encodeTexts } from "../encode-texts.js";
import type { Context } from "../task.js";
import { keepCachedVectors, readCachedVectors } from "./cached-vectors.js";

/** Texts that pictures may be explained by instead of a query: names of things, and everyday scenes. */
export interface ReferenceTexts {
  readonly texts: readonly string[];
  /** Of the texts: a calibration counts on the very ones that it was fitted with. */
  readonly sha256: string;
}

const files = ["recipes/bundled/imagenet-classnames.txt", "models/reference/everyday.txt"];

let read: Promise<ReferenceTexts> | undefined;

/** The texts that come with clipt. @throws `missing`, `io` */
export function referenceTexts(): Promise<ReferenceTexts> {
  read ??= (async () => {
    const lists = await Promise.all(
      files.map((file) => {
        const path = join(packageRoot, file);
        return readFile(path, "utf8").catch((error: unknown) => {
          throw readError(path, error);
        });
      }),
    );
    const texts = lists.flatMap((list) =>
      list
        .trim()
        .split("\n")
        .map((line) => line.split(",")[0]!.trim()),
    );
    return { texts, sha256: createHash("sha256").update(texts.join("\n")).digest("hex") };
  })();
  return read;
}

const vectors = new Map<string, Promise<Tensor<"float32">>>();

/**
 * Their vectors, [texts, dim]. A model encodes them once: they are kept in the user's cache folder.
 *
 * @throws what `encodeTexts` throws
 */
export function referenceVectors(encoder: Encoder, context: Context): Promise<Tensor<"float32">> {
  const { identity } = encoder.model;
  const known = vectors.get(identity) ?? encodeOnce(encoder, context);
  vectors.set(identity, known);
  // The next one tries again.
  known.catch(() => vectors.delete(identity));
  return known;
}

async function encodeOnce(encoder: Encoder, context: Context): Promise<Tensor<"float32">> {
  const { texts, sha256 } = await referenceTexts();
  const { cacheFolder } = context.services;
  const name = createHash("sha256").update(`${encoder.model.identity} ${sha256}`).digest("hex").slice(0, 40);
  const path = cacheFolder === undefined ? undefined : join(cacheFolder, "reference", `${name}.safetensors`);
  const kept = path === undefined ? undefined : await readCachedVectors(path);
  if (kept?.vectors.shape[0] === texts.length) return kept.vectors;
  // Not the caller's signal: others may wait for the same vectors.
  const { features } = await encodeTexts(texts, encoder, {
    ...context,
    signal: new AbortController().signal,
  });
  if (path !== undefined) await keepCachedVectors(path, features, {}, context);
  return features;
}
