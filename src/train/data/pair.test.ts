import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder, writeFiles } from "../../../test/made-data.js";
import { findLabelFiles, promptsOf, readLabelSet, type LabelSet } from "./labels.js";
import { drawPair, groupsOf, type LanguageWeights, type Pair } from "./pair.js";
import type { Caption, Sample } from "./sample.js";

const sample = (more: Partial<Sample> = {}): Sample => ({
  key: "k",
  shard: "s",
  image: { path: "p", offset: 0 },
  captions: [],
  ...more,
});

const english: LabelSet = {
  names: [["cat", "kitty"], ["dog"]],
  templates: ["a {c}.", "the {c}"],
  language: "en",
};
const russian: LabelSet = { names: [["кошка"], ["собака"]], templates: ["{c}"], language: "ru" };

/** Share of each text over many draws. */
function shares(item: Sample, labels: readonly LabelSet[], weights?: LanguageWeights): Map<string, number> {
  const counts = new Map<string, number>();
  for (let index = 0; index < 2000; index++) {
    const pair = drawPair({ sample: item, labels, epoch: 0, index }, 1, weights);
    const text = "reason" in pair ? pair.reason : pair.caption.text;
    counts.set(text, (counts.get(text) ?? 0) + 1 / 2000);
  }
  return counts;
}

function close(actual: Map<string, number>, expected: Record<string, number>): void {
  assert.deepEqual([...actual.keys()].sort(), Object.keys(expected).sort());
  for (const [text, share] of actual)
    assert.ok(Math.abs(share - (expected[text] ?? 0)) < 0.04, `${text}: ${share}`);
}

test("captions are drawn evenly, or by language first", () => {
  const captions: Caption[] = [{ text: "a" }, { text: "b" }, { text: "c", language: "de" }];
  close(shares(sample({ captions }), []), { a: 1 / 3, b: 1 / 3, c: 1 / 3 });
  close(shares(sample({ captions }), [], { und: 1, de: 3 }), { a: 1 / 8, b: 1 / 8, c: 3 / 4 });
  close(shares(sample({ captions }), [], { de: 1, ru: 9 }), { c: 1 });
  close(shares(sample({ captions }), [], { ru: 1 }), {
    "it has no caption (in a language that is drawn) and no class name": 1,
  });
});

test("classes are named by synonyms in templates, in each language; captions come first", () => {
  const cat = sample({ label: 0 });
  close(shares(cat, [english]), { "a cat.": 0.25, "the cat": 0.25, "a kitty.": 0.25, "the kitty": 0.25 });
  close(shares(sample({ label: 1 }), [english, russian], { en: 1, ru: 1 }), {
    "a dog.": 0.25,
    "the dog": 0.25,
    собака: 0.5,
  });
  close(shares(sample({ label: 0, captions: [{ text: "own" }] }), [english]), { own: 1 });
  close(shares(sample({ label: 4 }), [english]), { "its class 4 has no name": 1 });
  close(shares(sample({ label: 4, className: "red fox" }), []), { "a photo of a red fox.": 1 });
});

test("the same seed, epoch and index draw the same text", () => {
  const draw = { sample: sample({ label: 0 }), labels: [english, russian], epoch: 3, index: 14 };
  assert.deepEqual(drawPair(draw, "x"), drawPair(draw, "x"));
});

test("pairs of one picture, one text or one class are one group, also by way of a third", () => {
  const pair = (path: string, text: string, className?: string): Pair => ({
    sample: sample({ image: { path, offset: 0 } }),
    caption: { text },
    ...(className === undefined ? {} : { className }),
  });
  const pairs = [
    pair("1", "Two dogs are playing."),
    pair("2", "a"),
    pair("3", "two  dogs are playing"),
    pair("2", "b"),
    pair("4", "c", "cat"),
    pair("5", "d", "Cat"),
    pair("6", "d"),
    pair("7", "e"),
  ];
  assert.deepEqual([...groupsOf(pairs)], [0, 1, 0, 1, 2, 2, 2, 3]);
  assert.deepEqual([...groupsOf([])], []);
});

test("a head's sentences are the best names in every template", () => {
  assert.deepEqual(promptsOf(english), [
    ["a cat.", "the cat"],
    ["a dog.", "the dog"],
  ]);
  assert.deepEqual(promptsOf(english, 2)[0], ["a cat.", "the cat", "a kitty.", "the kitty"]);
});

test("CLIP_benchmark's files of labels are found", (t) => {
  const folder = temporaryFolder(t);
  assert.deepEqual(findLabelFiles(folder), {});
  writeFiles(folder, { "classnames.txt": "cat", "zeroshot_classification_templates.txt": "a {c}" });
  assert.deepEqual(findLabelFiles(folder), {
    classnames: join(folder, "classnames.txt"),
    templates: join(folder, "zeroshot_classification_templates.txt"),
  });
});

test("class names and templates are read from files", async (t) => {
  const folder = temporaryFolder(t);
  writeFiles(folder, {
    n: "cat, kitty\r\ndog\n\n",
    t: "a {c}.\n",
    bad: "cat\n,\ndog",
    flat: "a cat",
    empty: "\n",
  });
  const at = (name: string) => join(folder, name);
  assert.deepEqual(await readLabelSet({ classnames: at("n"), templates: at("t"), language: "en" }), {
    names: [["cat", "kitty"], ["dog"]],
    templates: ["a {c}."],
    language: "en",
  });
  assert.deepEqual((await readLabelSet({ classnames: at("n") })).templates, ["a photo of a {c}."]);
  await assert.rejects(readLabelSet({ classnames: at("bad") }), /line 2: class 1 has no name/);
  await assert.rejects(
    readLabelSet({ classnames: at("n"), templates: at("flat") }),
    /line 1: expected \{c\}/,
  );
  await assert.rejects(readLabelSet({ classnames: at("empty") }), /is empty/);
  await assert.rejects(readLabelSet({ classnames: at("none") }), { code: "missing" });
});
