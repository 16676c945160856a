import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { constant, flops, type Value } from "../graph/index.js";
import { packageRoot } from "../package-root.js";
import { evaluate, nodeRuntime } from "../runtime/index.js";
import { i64 } from "../tensor/index.js";
import {
  chineseClip,
  hfChineseClip,
  readWeights,
  savePyTorch,
  toCanonical,
  toPublished,
} from "../weights/index.js";
import { openCheckpoint } from "./checkpoint.js";
import { encodeText } from "./clip.js";
import { compareModel } from "./compare.js";
import type { ClipConfig } from "./config.js";
import type { Context } from "./context.js";
import { toHuggingFaceTokenizer } from "./families/write-hugging-face-tokenizer.js";
import { openEncoder } from "./open-encoder.js";
import { openModel } from "./open.js";
import { openTokenizer } from "./tokenizer.js";
import type { BertConfig } from "./towers/bert.js";
import { constants } from "./values.js";

const fixture = (...parts: string[]) => join(packageRoot, "test/fixtures/models", ...parts);

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "clipt-test-"));
});
after(() => rm(folder, { recursive: true }));
const at = (...parts: string[]) => join(folder, ...parts);

/** Ids of three texts of which one has the padding's id inside, for the fixtures whose padding is 1. */
const ids = i64([3, 5], [0, 7, 9, 2, 1, 0, 2, 1, 1, 1, 0, 6, 1, 8, 2]);

async function towerOf(name: string, changes: Partial<BertConfig> = {}) {
  const { config, weights } = await openModel(fixture(name));
  const changed = { ...config, text: { ...config.text, ...changes } } as ClipConfig;
  const w = constants(changed, weights);
  return (context: Context = {}) => encodeText(changed, w, constant(ids), context);
}

const assertClose = (a: { readonly data: ArrayLike<unknown> }, b: typeof a) =>
  Array.from(a.data).forEach((x, i) => assert.ok(Math.abs(Number(x) - Number(b.data[i])) < 1e-5));

test("the greatest value of each column, over what is no padding", async () => {
  const text = await towerOf("openclip-xlmr-tiny", { pool: "max" });
  const taps: Record<string, Value> = {};
  text({ tap: (name, value) => void (taps[name] = value) });
  const { tokens, pooled } = await evaluate({
    tokens: taps["text.block.0"]!,
    pooled: taps["text.pooled"]!,
  });
  const width = pooled!.shape[1]!;
  const expected = Array.from({ length: 3 * width }, (_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    const shown = [0, 1, 2, 3, 4].filter((place) => ids.data[row * 5 + place] !== 1n);
    return Math.max(...shown.map((place) => Number(tokens!.data[(row * 5 + place) * width + column])));
  });
  assertClose(pooled!, { data: expected });
});

test("the last layer computes the first token alone where the pool reads no other", async () => {
  const text = await towerOf("openclip-xlmr-tiny", { pool: "cls_last_hidden_state" });
  const [narrow, whole] = [text(), text({ tap: () => undefined })];
  assert.ok(flops([narrow]) < 0.8 * flops([whole]));
  const { a, b } = await evaluate({ a: narrow, b: whole });
  assertClose(a!, b!);
});

test("packed texts have the same features, whatever the pool", async () => {
  // Rows of the texts without the padding behind them.
  const places = constant(i64([11], [0, 1, 2, 3, 5, 6, 10, 11, 12, 13, 14]));
  const rows = constant(i64([15], [0, 1, 2, 3, -1, 4, 5, -1, -1, -1, 6, 7, 8, 9, 10]));
  for (const pool of ["mean", "max", "cls_last_hidden_state"] as const) {
    const text = await towerOf("openclip-xlmr-tiny", { pool });
    const { a, b } = await evaluate({ a: text(), b: text({ packing: { places, rows } }) });
    assertClose(a!, b!);
  }
});

test("a text has the same vector beside longer ones, and the padding is the one that the tower hides", async () => {
  const runtime = nodeRuntime({ threads: 1 });
  const texts = ["a dog", "собака бежит по снегу", "一只狗在雪地里奔跑 and two cats sleep on a red chair"];
  for (const name of ["openclip-bert-tiny", "mclip-tiny", "sentence-transformers-tiny"]) {
    const model = await openModel(fixture(name));
    const encoder = await openEncoder(model, runtime);
    const together = await encoder.texts(texts);
    for (const [i, text] of texts.entries()) {
      const { features } = await encoder.texts([text]);
      const { length } = features.data;
      assertClose(features, { data: together.features.data.subarray(i * length, (i + 1) * length) });
    }
    assert.equal(model.tokenizer.identity().frame.pad, name === "mclip-tiny" ? 1 : 0);
  }
  await runtime.close();
});

test("Chinese-CLIP's own checkpoint, as its training saves it, is the same model", async () => {
  const source = fixture("chinese-clip-tiny");
  const canonical = toCanonical(hfChineseClip, await readWeights(source));
  const named = [...toPublished(chineseClip, canonical)].map(([name, t]) => [`module.${name}`, t] as const);
  const pooler = ["module.bert.pooler.dense.weight", i64([1], [0])] as const;
  const checkpoint = new Map([["state_dict", new Map([...named, pooler])]]);
  await mkdir(at("cn"));
  await savePyTorch(at("cn/clip_cn_tiny.pt"), checkpoint);
  await cp(join(source, "vocab.txt"), at("cn/vocab.txt"));
  const report = await compareModel(at("cn/clip_cn_tiny.pt"), join(source, "golden.safetensors"));
  assert.deepEqual(
    report.tensors.filter(({ ok }) => !ok),
    [],
  );
  const [ours, theirs] = [await openModel(at("cn/clip_cn_tiny.pt")), await openModel(source)];
  assert.deepEqual(ours.tokenizer.encode("一只狗").ids, theirs.tokenizer.encode("一只狗").ids);
  assert.deepEqual([ours.preprocess.resizeMode, theirs.preprocess.resizeMode], ["squash", "squash"]);
});

describe("two halves", () => {
  const towers = async (name: string, json: object) => {
    await mkdir(at(name));
    await writeFile(at(name, "towers.json"), JSON.stringify(json));
    return at(name);
  };
  test("of whole models: the text tower moves below text. and brings its tokenizer", async () => {
    const halves = { image: fixture("openclip-xlmr-tiny"), text: fixture("openclip-bert-tiny") };
    const model = await openModel(await towers("wholes", halves));
    const [image, text] = [await openModel(halves.image), await openModel(halves.text)];
    assert.deepEqual(model.config, { ...image.config, text: text.config.text });
    assert.equal(model.tokenizer.vocabSize, text.tokenizer.vocabSize);
    assert.deepEqual(model.weights.get("visual.proj"), image.weights.get("visual.proj"));
    assert.deepEqual(model.weights.get("text.proj.weight"), text.weights.get("text.proj.weight"));
    assert.notEqual(model.identity, image.identity);
  });
  test("that end in different spaces, or are named wrongly, are refused", async () => {
    const image = fixture("openclip-avg-tiny");
    await assert.rejects(openCheckpoint(await towers("apart", { image, text: fixture("mclip-tiny/text") })), {
      code: "shape",
      message: /not trained for each other/,
    });
    await assert.rejects(openCheckpoint(await towers("wrong", { image, words: "x" })), {
      code: "format",
      message: /towers\.json/,
    });
    await assert.rejects(openCheckpoint(await towers("nowhere", { image, text: "nowhere" })), {
      code: "missing",
    });
  });
  test("a text tower alone says what to do", async () => {
    await assert.rejects(openCheckpoint(fixture("mclip-tiny/text")), {
      code: "unsupported",
      message: /M-CLIP.*towers\.json/,
    });
  });
  test("a chain of sentence-transformers with other modules, or one outside of its folder, is refused", async () => {
    const module = (path: string, kind: string) => ({ path, type: `sentence_transformers.models.${kind}` });
    for (const [i, [modules, message]] of [
      [[module("", "Transformer"), module("1_Pooling", "Pooling")], /Transformer, Pooling are not supported/],
      [[module("", "Transformer"), module("1_Pooling", "Pooling"), module("../x", "Dense")], /no folder/],
    ].entries() as Iterable<[number, [object[], RegExp]]>) {
      await cp(fixture("sentence-transformers-tiny/text"), at(`chain-${i}`), { recursive: true });
      await writeFile(at(`chain-${i}`, "modules.json"), JSON.stringify(modules));
      const image = fixture("openclip-xlmr-tiny");
      await assert.rejects(openCheckpoint(await towers(`chained-${i}`, { image, text: at(`chain-${i}`) })), {
        message,
      });
    }
  });
});

test("a model whose tokenizer lies elsewhere names the place", async () => {
  await cp(fixture("openclip-xlmr-tiny"), at("bare"), { recursive: true });
  await rm(at("bare/tokenizer.json"));
  const model = await openModel(at("bare"));
  assert.throws(() => model.tokenizer, { code: "missing", message: /xlm-roberta-base/ });
});

test("a context of another length is a limit, up to the last position", async () => {
  const { tokenizer } = await openModel(fixture("mclip-tiny"), { contextLength: 5 });
  assert.equal(tokenizer.encode("a photo of a dog running in the snow").ids.length, 5);
  await assert.rejects(openModel(fixture("mclip-tiny"), { contextLength: 21 }), {
    code: "usage",
    message: /end at 20/,
  });
});

test("BERT's vocabulary is exported as a tokenizer.json with the same ids", async () => {
  const { tokenizer, tokenizerConfig, tokenizerFiles } = await openModel(fixture("chinese-clip-tiny"));
  const written = toHuggingFaceTokenizer(tokenizerConfig, tokenizerFiles, tokenizer.identity().frame);
  const files = Object.entries(written).map(([name, json]): [string, Uint8Array] => [
    name,
    new TextEncoder().encode(JSON.stringify(json)),
  ]);
  const reopened = openTokenizer(tokenizerConfig, new Map(files));
  for (const text of ["Two CATS, a dög", "一只狗在雪地里奔跑", ""])
    assert.deepEqual(reopened.encode(text), tokenizer.encode(text));
});
