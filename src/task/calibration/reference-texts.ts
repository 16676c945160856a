import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Encoder } from "../../model/index.js";
import { packageRoot } from "../../package-root.js";
import type { Kind } from "../../score/index.js";
import { f32, readError, type Tensor } from "../../tensor/index.js";
import { encodeTexts } from "../encode-texts.js";
import type { Context } from "../task.js";
import { readWords, type Words } from "./words.js";
import { keepCachedVectors, readCachedVectors } from "./cached-vectors.js";

/** Texts that pictures may be explained by instead of a query: names of things, and everyday scenes. */
export interface ReferenceTexts {
  readonly texts: readonly string[];
  /** Words for several of them, and the places of these. */
  readonly kinds: readonly { readonly names: readonly string[]; readonly members: readonly number[] }[];
  /** Words of everyday searches, in every language that they are written in. */
  readonly everyday: readonly string[];
  /** Of the texts: a calibration counts on the very ones that it was fitted with. */
  readonly sha256: string;
}

/** "name, name: text; text; @word": scenes that say a name, or such a word, are of the kind, too. */
const kindsFile = "models/reference/kinds.txt";
const wordsFile = "models/reference/words.txt";
const scenesFile = "models/reference/scenes.txt";
/** The first name of each line. */
const files = ["recipes/bundled/imagenet-classnames.txt", "models/reference/everyday.txt"];

let read: Promise<ReferenceTexts> | undefined;

/** The texts that come with clipt. @throws `missing`, `io` */
export function referenceTexts(): Promise<ReferenceTexts> {
  read ??= (async () => {
    const [wordLines, kindLines, scenes, ...lists] = await Promise.all(
      [wordsFile, kindsFile, scenesFile, ...files].map(linesOf),
    );
    const names = lists.flat().map((line) => line.split(",")[0]!.trim());
    const texts = [...names, ...scenes!];
    const kinds = kindLines!.map((line) => kindOf(line, names, scenes!));
    const everyday = readWords(wordLines!).words.flatMap(({ names }) => Object.values(names).flat());
    const sha256 = createHash("sha256")
      .update([...texts, ...kindLines!, ...everyday].join("\n"))
      .digest("hex");
    return { texts, kinds, everyday, sha256 };
  })();
  return read;
}

function kindOf(
  line: string,
  texts: readonly string[],
  scenes: readonly string[],
): ReferenceTexts["kinds"][number] {
  const [first = "", rest = ""] = line.split(": ");
  const [names, listed] = [first.split(", "), rest.split("; ")];
  const words = [...names, ...listed.flatMap((text) => (text.startsWith("@") ? [text.slice(1)] : []))];
  const wanted = new Set(listed);
  const says = (scene: string): boolean => {
    const plain = ` ${scene.replace(/\P{L}+/gu, " ")} `;
    return words.some((word) => plain.includes(` ${word} `));
  };
  return {
    names,
    members: [
      ...texts.flatMap((text, place) => (wanted.has(text) ? [place] : [])),
      ...scenes.flatMap((scene, i) => (says(scene) ? [texts.length + i] : [])),
    ],
  };
}

/** Everyday words, and where labels and captions say that they are seen. @throws `missing`, `io` */
export const everydayWords = async (): Promise<Words> => readWords(await linesOf(wordsFile));

async function linesOf(file: string): Promise<string[]> {
  const path = join(packageRoot, file);
  try {
    return (await readFile(path, "utf8")).trim().split("\n");
  } catch (error) {
    throw readError(path, error);
  }
}

/** Reference texts as a model reads them. */
export interface ReferenceVectors {
  /** [texts, dim], rows of length 1 */
  readonly texts: Tensor<"float32">;
  readonly kinds: readonly Kind[];
  /** Words of everyday searches, [words, dim], rows of length 1. */
  readonly everyday: Tensor<"float32">;
}

const vectors = new Map<string, Promise<ReferenceVectors>>();

/**
 * Their vectors. A model encodes them once: they are kept in the user's cache folder. Who asks meanwhile waits for the same
 * ones, and begins anew when the one who began went away.
 *
 * @throws what `encodeTexts` throws
 */
export async function referenceVectors(encoder: Encoder, context: Context): Promise<ReferenceVectors> {
  const { identity } = encoder.model;
  for (;;) {
    const begun = vectors.get(identity);
    const known = begun ?? encodeOnce(encoder, context);
    vectors.set(identity, known);
    try {
      return await known;
    } catch (error) {
      if (vectors.get(identity) === known) vectors.delete(identity);
      if (begun === undefined) throw error;
    }
  }
}

async function encodeOnce(encoder: Encoder, context: Context): Promise<ReferenceVectors> {
  const { texts, kinds, everyday, sha256 } = await referenceTexts();
  const all = await encodeKept(
    [...texts, ...kinds.flatMap(({ names }) => names), ...everyday],
    sha256,
    encoder,
    context,
  );
  const [, dim = 0] = all.shape;
  let end = 0;
  const next = (count: number): Tensor<"float32"> => {
    end += count;
    return f32([count, dim], all.data.subarray((end - count) * dim, end * dim));
  };
  return {
    texts: next(texts.length),
    kinds: kinds.map(({ names, members }) => ({ names: next(names.length), members })),
    everyday: next(everyday.length),
  };
}

/** [texts, dim] */
async function encodeKept(
  texts: readonly string[],
  sha256: string,
  encoder: Encoder,
  context: Context,
): Promise<Tensor<"float32">> {
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
