import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bundledModel, classify, search } from "../src/index.js";
import { compareModel, openModel } from "../src/model/index.js";
import { packageRoot } from "../src/package-root.js";

const folder = join(packageRoot, "models", "clipt-small");
const options = { skip: !existsSync(join(folder, "config.json")) && "the bundled model is not in this copy" };
const pictures = join(packageRoot, "examples", "pictures");

test("it takes less than 40 MB", options, () => {
  const bytes = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
  assert.ok(bytes < 40e6, `${bytes} bytes`);
  assert.equal(bundledModel(), folder);
});

test("its towers give the numbers of a forward pass in PyTorch (make_golden.py)", options, async () => {
  const golden = join(packageRoot, "test", "fixtures", "models", "clipt-small", "golden.safetensors");
  const { ok, tensors } = await compareModel(folder, golden);
  assert.ok(ok, JSON.stringify(tensors.filter((tensor) => !tensor.ok)));
  assert.equal(tensors.length, 5);
});

test("its tokenizer keeps the original's pieces of English, Russian and Chinese", options, async () => {
  const { tokenizer } = await openModel(folder);
  for (const text of ["A dog runs through the snow.", "Собака бежит по снегу.", "一只狗在雪地里奔跑"]) {
    const { ids } = tokenizer.encode(text);
    assert.deepEqual([ids[0], ids.at(-1)], [1, 2]);
    assert.ok(!ids.includes(0), "no unknown pieces");
    assert.equal(tokenizer.decode(ids), text);
  }
});

for (const [query, picture] of [
  ["a cat", "cat.jpg"],
  ["кот", "cat.jpg"],
  ["a cup of coffee", "coffee.jpg"],
  ["чашка кофе", "coffee.jpg"],
  ["a rocket launch", "rocket.jpg"],
  ["a flower", "flower.jpg"],
  ["цветок", "flower.jpg"],
] as const)
  test(`"${query}" finds ${picture} among the example pictures`, options, async () => {
    const [answer] = [await search({ query, folder: pictures, k: 3, cache: false })].flat();
    assert.match(answer!.results[0]!.path, new RegExp(`${picture}$`));
  });

test("a picture finds itself first", options, async () => {
  const query = join(pictures, "rocket.jpg");
  const [answer] = [await search({ query, folder: pictures, k: 1, cache: false })].flat();
  assert.match(answer!.results[0]!.path, /rocket\.jpg$/);
  assert.ok(answer!.results[0]!.score > 0.999);
});

test("labels are ranked, and their probabilities add up to 1", options, async () => {
  const [{ labels } = { labels: [] }] = await classify({
    pictures: [join(pictures, "cat.jpg")],
    labels: ["a dog", "a cat", "a car"],
  });
  assert.equal(labels[0]?.label, "a cat");
  assert.ok(Math.abs(labels.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-5);
});

for (const [query, verdicts] of [
  ["a cat", ["matches"]],
  ["кот", ["matches", "unsure"]],
  ["a cup of coffee", ["matches", "unsure"]],
  ["a submarine under ice", ["nothing", "unsure"]],
  ["жираф", ["nothing"]],
  ["a bicycle", ["nothing"]],
] as const)
  test(`"${query}" among the example pictures: ${verdicts.join(" or ")}`, options, async () => {
    const [answer] = [await search({ query, folder: pictures, k: 3, cache: false })].flat();
    const { match, results } = answer!;
    assert.ok(
      verdicts.some((verdict) => verdict === match?.verdict),
      JSON.stringify(match),
    );
    const probabilities = results.map(({ probability }) => probability!);
    assert.ok(probabilities.every((p) => p >= 0 && p <= 1));
    if (match!.verdict === "nothing") assert.ok(probabilities.every((p) => p < 0.2));
  });

test("a picture of something else is none of the labels", options, async () => {
  const [cat, moon] = await classify({
    pictures: ["cat.jpg", "moon.jpg"].map((name) => join(pictures, name)),
    labels: ["dog", "cat", "horse"],
  });
  assert.ok(cat!.none! < 0.3 && moon!.none! > 0.6, JSON.stringify([cat, moon]));
  const [best, ...others] = cat!.labels;
  assert.ok(best!.label === "cat" && best!.probability! > 0.5);
  assert.ok(others.every(({ probability }) => probability! < 0.1));
});
