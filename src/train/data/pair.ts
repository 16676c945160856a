import { random, type Random, type Seed } from "../../tensor/index.js";
import { drawPrompt, plainTemplate, prompt, type LabelSet } from "./labels.js";
import type { Broken } from "./row-reader.js";
import type { Caption, Sample } from "./sample.js";
import { subSeed, type Draw } from "./sampler.js";

/** A picture with the one text that it is trained against this time. */
export interface Pair {
  readonly sample: Sample;
  readonly caption: Caption;
  /** Best name of its class, where it has one. */
  readonly className?: string;
}

/**
 * How often each language is drawn, relative to the others that a sample has; "und" stands for captions of unknown
 * language. A language that is not named is not drawn.
 */
export type LanguageWeights = Readonly<Record<string, number>>;

/**
 * Draws the text of a picture: one of its captions, or else its class in the words of a label set.
 * Without weights all captions are equally likely. A picture about which nothing is said gets the reason instead.
 */
export function drawPair(draw: Draw, seed: Seed, weights?: LanguageWeights): Pair | Broken {
  const { sample, labels } = draw;
  const rng = random(subSeed(seed, "caption", draw.epoch, draw.index));
  if (sample.label !== undefined && labels.some((set) => set.names[sample.label ?? 0] === undefined))
    return { reason: `its class ${sample.label} has no name` };
  const className =
    sample.label === undefined ? undefined : (labels[0]?.names[sample.label]?.[0] ?? sample.className);
  const caption = choose(sample.captions, rng, weights) ?? inWords(sample, labels, rng, weights);
  if (caption === undefined)
    return { reason: "it has no caption (in a language that is drawn) and no class name" };
  return { sample, caption, ...(className === undefined ? {} : { className }) };
}

function inWords(
  sample: Sample,
  labels: readonly LabelSet[],
  rng: Random,
  weights?: LanguageWeights,
): Caption | undefined {
  if (sample.label === undefined) return undefined;
  if (labels.length === 0)
    return sample.className === undefined ? undefined : { text: prompt(plainTemplate, sample.className) };
  const set = choose(labels, rng, weights);
  if (set === undefined) return undefined;
  const text = drawPrompt(set, sample.label, rng);
  return set.language === undefined ? { text } : { text, language: set.language };
}

/** One of the items: a language by weight first, then evenly among its items. */
function choose<T extends { readonly language?: string }>(
  items: readonly T[],
  rng: Random,
  weights?: LanguageWeights,
): T | undefined {
  if (weights === undefined) return items[rng.int(items.length)];
  const languages = [...new Set(items.map((item) => item.language ?? "und"))];
  const total = languages.reduce((sum, language) => sum + (weights[language] ?? 0), 0);
  let rest = rng.next() * total;
  const language = languages.find((name) => (rest -= weights[name] ?? 0) < 0);
  const candidates = items.filter((item) => (item.language ?? "und") === language);
  return candidates[rng.int(candidates.length)];
}

/**
 * A number for each pair; pairs that must not be each other's negatives share it: the same picture, equal texts
 * (case, spaces and the final stop aside) or the same class. Numbers count up from 0 in order of appearance.
 */
export function groupsOf(pairs: readonly Pair[]): Int32Array {
  const parent = pairs.map((_, i) => i);
  const root = (i: number): number => {
    const up = parent[i] ?? i;
    return up === i ? i : (parent[i] = root(up));
  };
  const firstWith = new Map<string, number>();
  for (const [i, pair] of pairs.entries())
    for (const trait of traits(pair)) {
      const other = firstWith.get(trait);
      if (other === undefined) firstWith.set(trait, i);
      else parent[root(i)] = root(other);
    }
  const numbers = new Map<number, number>();
  return Int32Array.from(pairs, (_, i) => {
    const group = numbers.get(root(i)) ?? numbers.size;
    numbers.set(root(i), group);
    return group;
  });
}

function traits({ sample, caption, className }: Pair): string[] {
  const text = caption.text
    .toLowerCase()
    .replace(/\s+/g, " ")
    .replace(/[.。]$/, "")
    .trim();
  const { path, offset } = sample.image;
  const list = [`picture ${path} ${offset}`, `text ${text}`];
  return className === undefined ? list : [...list, `class ${className.toLowerCase()}`];
}
