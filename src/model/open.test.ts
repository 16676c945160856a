import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { needsShared, sharedPath } from "../../test/shared.js";
import { tinyConfig } from "../../test/tiny-model.js";
import { clipPreprocess } from "../input/image/index.js";
import { numberTokens, toTokenizerJson } from "../input/text/index.js";
import { evaluate, nodeRuntime } from "../runtime/index.js";
import { constant } from "../graph/index.js";
import { f32, flatten, isTensor, random, tensor, type Tensor } from "../tensor/index.js";
import { openWeights, saveSafetensors } from "../weights/index.js";
import { clipSpec, encodeText, normalize } from "./clip.js";
import type { ClipConfig } from "./config.js";
import { openEncoder } from "./open-encoder.js";
import { openModel } from "./open.js";
import { saveModel, type SavedModel } from "./save.js";
import { initialise } from "./spec.js";
import { constants } from "./values.js";

const vocabulary = numberTokens([
  ["d", "o"],
  ["do", "g</w>"],
]);
const tiny: ClipConfig = {
  ...tinyConfig,
  embedDim: 6,
  image: {
    ...tinyConfig.image,
    ...{ imageSize: [8, 12], patchSize: 4, pool: "avg", lnPre: false, lnAfterPool: true },
  } as ClipConfig["image"],
  text: {
    ...tinyConfig.text,
    ...{ contextLength: 6, vocabSize: vocabulary.tokens.length },
  } as ClipConfig["text"],
};
const model: SavedModel = {
  config: tiny,
  weights: flatten(initialise(clipSpec(tiny), random("open")), isTensor),
  preprocess: { ...clipPreprocess, size: [8, 12] },
  tokenizerConfig: { kind: "clip-bpe", cleaning: "clip", pad: "zero", context: 6 },
  tokenizerFiles: new Map([
    ["tokenizer.json", new TextEncoder().encode(JSON.stringify(toTokenizerJson(vocabulary)))],
  ]),
  card: "# A model of the tests\n",
};

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "clipt-test-"));
});
after(() => rm(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

describe("a saved model", () => {
  test("opens as what it was, under the same identity", async () => {
    await saveModel(at("one"), model);
    const opened = await openModel(at("one"));
    assert.deepEqual(opened.config, tiny);
    assert.deepEqual(opened.preprocess, model.preprocess);
    for (const [name, { data }] of model.weights)
      assert.deepEqual(opened.weights.get(name)!.data, data, name);
    assert.equal(opened.locations.size, model.weights.size);
    assert.equal((await openModel(at("one"), { inMemory: true })).identity, opened.identity);
    await saveModel(at("two"), { ...opened, tokenizer: undefined, card: "" } as SavedModel);
    assert.equal((await openModel(at("two"))).identity, opened.identity);
  });

  test("has another identity when anything that decides a vector differs", async () => {
    const identities = new Set<string>();
    const variants: Partial<SavedModel>[] = [
      {},
      { precision: "float16" },
      { preprocess: { ...model.preprocess, interpolation: "bilinear" } },
      { tokenizerConfig: { kind: "clip-bpe", cleaning: "lower", pad: "zero", context: 6 } },
      { config: { ...tiny, text: { ...tiny.text, activation: "quick_gelu" } as ClipConfig["text"] } },
    ];
    for (const [i, variant] of variants.entries()) {
      await saveModel(at(`variant-${i}`), { ...model, ...variant });
      identities.add((await openModel(at(`variant-${i}`))).identity);
    }
    assert.equal(identities.size, variants.length);
  });
});

describe("an encoder", () => {
  test("gives a text the same vector beside any others, and tells which were cut", async () => {
    await saveModel(at("encoded"), model);
    const opened = await openModel(at("encoded"));
    const runtime = nodeRuntime({ threads: 1 });
    const encoder = await openEncoder(opened, runtime);
    const texts = ["dog", "a dog and more than six tokens", "", "a"];
    const { features, truncated } = await encoder.texts(texts);
    assert.deepEqual(truncated, [1]);
    const w = constants(tiny, opened.weights);
    for (const [i, text] of texts.entries()) {
      const { ids } = opened.tokenizer.encode(text);
      const row = [...ids, ...Array<number>(6 - ids.length).fill(0)];
      const padded = constant(tensor("int64", [1, 6], BigInt64Array.from(row, BigInt)));
      const { alone } = await evaluate({ alone: normalize(encodeText(tiny, w, padded)) });
      for (let d = 0; d < 6; d++)
        assert.ok(Math.abs(features.data[i * 6 + d]! - (alone.data as Float32Array)[d]!) < 1e-5);
    }
    await runtime.close();
  });

  test("takes any number of pictures, none included, and refuses other sizes", async () => {
    await saveModel(at("pictures"), { ...model, precision: "float16" });
    const runtime = nodeRuntime({ threads: 1 });
    const encoder = await openEncoder(await openModel(at("pictures")), runtime);
    const rng = random("pictures");
    const pixels = Float32Array.from({ length: 33 * 288 }, () => rng.normal());
    const all = await encoder.images(f32([33, 3, 8, 12], pixels));
    const last = await encoder.images(f32([1, 3, 8, 12], pixels.subarray(32 * 288)));
    assert.deepEqual(all.shape, [33, 6]);
    for (let d = 0; d < 6; d++) assert.ok(Math.abs(all.data[32 * 6 + d]! - last.data[d]!) < 1e-5);
    assert.ok(Math.abs(Math.hypot(...last.data) - 1) < 1e-5);
    assert.deepEqual((await encoder.images(f32([0, 3, 8, 12], []))).shape, [0, 6]);
    await assert.rejects(encoder.images(f32([1, 3, 12, 8], pixels.subarray(0, 288))), {
      code: "shape",
      message: /\[3, 12, 8\].*\[3, 8, 12\]/,
    });
    await runtime.close();
  });
});

describe("what cannot be opened is said", () => {
  const variant = async (name: string, change: (weights: Map<string, Tensor>) => void) => {
    await saveModel(at(name), model);
    const weights = new Map(model.weights);
    change(weights);
    await saveSafetensors(at(`${name}/model.safetensors`), weights);
    return openModel(at(name));
  };
  test("a missing tensor, one too many, one of another shape", async () => {
    await assert.rejects(
      variant("missing", (w) => w.delete("visual.proj")),
      { code: "format", message: /missing.*1 missing: visual\.proj/ },
    );
    await assert.rejects(
      variant("more", (w) => w.set("visual.proj2", f32([1], [1]))),
      { code: "format", message: /1 not part of the model: visual\.proj2/ },
    );
    await assert.rejects(
      variant("shape", (w) => w.set("visual.proj", f32([1, 2], [1, 2]))),
      { code: "format", message: /visual\.proj is \[1, 2\] instead of \[16, 6\]/ },
    );
  });
  test("no folder, no model in it, a broken configuration, one of a later version", async () => {
    await assert.rejects(openModel(at("nowhere")), { code: "missing" });
    await writeFile(at("config.json"), "{}");
    await assert.rejects(openModel(folder), { code: "missing", message: /no weights/ });
    await saveModel(at("broken"), model);
    await writeFile(at("broken/config.json"), '{"format": "clipt"');
    await assert.rejects(openModel(at("broken")), { code: "format", message: /config\.json.*JSON/ });
    await writeFile(at("broken/config.json"), '{"format": "clipt", "version": 99}');
    await assert.rejects(openModel(at("broken")), { code: "unsupported", message: /version 99/ });
    await rm(at("broken/config.json"));
    await assert.rejects(openModel(at("broken")), { code: "format" });
  });
  test("a tokenizer that knows more than the model, when a text is encoded", async () => {
    const config = { ...tiny, text: { ...tiny.text, vocabSize: 40 } } as ClipConfig;
    const weights = flatten(initialise(clipSpec(config), random("few")), isTensor);
    await saveModel(at("few"), { ...model, config, weights });
    const opened = await openModel(at("few"));
    assert.throws(() => opened.tokenizer, {
      code: "format",
      message: /516 tokens and its text tower knows 40/,
    });
  });
});

test("OpenAI's archive needs nothing beside it", needsShared("reference"), async () => {
  const from = sharedPath("reference", "vit-tiny")!;
  await cp(join(from, "vit-tiny.torchscript.pt"), at("alone.pt"));
  const [alone, beside] = [await openModel(at("alone.pt")), await openModel(join(from, "vit-tiny.fp16.pt"))];
  const written = (config: ClipConfig): unknown => JSON.parse(JSON.stringify(config));
  assert.deepEqual(written(alone.config), written(beside.config));
  const file = await openWeights(at("alone.pt"));
  assert.equal(alone.weights.get("visual.proj")!.dtype, file.entry("visual.proj").dtype);
  await file.close();
});
