import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  constant,
  flops,
  gradients,
  input,
  isValue,
  logSoftmax,
  mul,
  neg,
  sum,
  type Value,
} from "../graph/index.js";
import { evaluate, nodeRuntime } from "../runtime/index.js";
import { f32, flatten, i64, isTensor, mapTree, random, sizeOf, type Tensor } from "../tensor/index.js";
import { clipSpec, encodeImage, encodeText, logits, normalize, type ClipWeights } from "./clip.js";
import type { ClipConfig } from "./config.js";
import type { Context } from "./context.js";
import { initialise, isSpec } from "./spec.js";
import type { BertConfig } from "./towers/bert.js";

/** A CLIP of two blocks a tower that uses every part a small one can have. */
const tiny: ClipConfig = {
  embedDim: 6,
  image: {
    kind: "vit",
    imageSize: [8, 4],
    patchSize: 4,
    width: 8,
    heads: 2,
    layers: 2,
    mlpWidth: 12,
    activation: "quick_gelu",
    eps: 1e-5,
    pool: "tok",
    lnPre: true,
    lnAfterPool: false,
    layerScale: 0.5,
  },
  text: {
    kind: "transformer",
    contextLength: 5,
    vocabSize: 11,
    width: 8,
    heads: 2,
    layers: 2,
    mlpWidth: 12,
    activation: "gelu",
    eps: 1e-5,
    causal: true,
    pool: "argmax",
    projection: "matrix",
  },
  customText: false,
  score: "softmax",
  initLogitScale: 1,
};

/** The same with BERT as text tower; ids that are 0 are its padding. */
const withBert = (changes: Pick<BertConfig, "positionsAfterPad" | "pool" | "projection">): ClipConfig => ({
  ...tiny,
  customText: true,
  text: {
    kind: "bert",
    contextLength: 5,
    vocabSize: 11,
    positions: 6,
    tokenTypes: 2,
    padId: 0,
    width: 8,
    heads: 2,
    layers: 1,
    mlpWidth: 12,
    activation: "gelu",
    eps: 1e-5,
    ...changes,
  },
});

const pixels = (batch: number, height: number, width: number): Tensor => {
  const rng = random(["pixels"]);
  return f32(
    [batch, 3, height, width],
    Float32Array.from({ length: batch * 3 * height * width }, () => rng.normal()),
  );
};

/** A smooth function of all outputs: the symmetric loss of matching pairs. */
function loss(config: ClipConfig, w: ClipWeights<Value>, images: Value, ids: Value): Value {
  const scores = logits(w, normalize(encodeImage(config, w, images)), normalize(encodeText(config, w, ids)));
  const count = scores.shape[0] as number;
  const pairs = f32(
    [count, count],
    Array.from({ length: count * count }, (_, i) => (i % (count + 1) === 0 ? 1 / count : 0)),
  );
  const hit = (axis: number) => neg(sum(mul(logSoftmax(scores, axis), constant(pairs))));
  return mul(sum(hit(0)), hit(1));
}

async function checkGradients(config: ClipConfig): Promise<void> {
  const rng = random("finite differences");
  const fresh = flatten(initialise(clipSpec(config), rng), isTensor);
  // Away from the small start, where a norm after the embedding bends within a step.
  const weights = new Map(
    [...fresh].map(([name, t]) => [
      name,
      f32(
        t.shape,
        Float32Array.from(t.data as Float32Array, (x) => x + 0.3 * rng.normal()),
      ),
    ]),
  );
  const inputs = mapTree(clipSpec(config), isSpec, ({ shape }, name) =>
    input(name, shape),
  ) as ClipWeights<Value>;
  const images = constant(pixels(3, 8, 4));
  const ids = constant(i64([3, 4], [1, 5, 10, 0, 1, 10, 0, 0, 1, 2, 3, 10]));
  const value = loss(config, inputs, images, ids);
  const leaves = flatten(inputs, isValue);
  const grads = gradients(value, [...leaves.values()]);

  const runtime = nodeRuntime({ threads: 1 });
  const program = await runtime.compile({
    loss: value,
    ...Object.fromEntries([...leaves.keys()].map((name, i) => [`gradient of ${name}`, grads[i]!])),
  });
  const run = (changed: Record<string, Tensor> = {}) =>
    program.run({ ...Object.fromEntries(weights), ...changed });
  const exact = await run();
  for (const [name, t] of weights) {
    const gradient = exact[`gradient of ${name}`]!.data as Float32Array;
    const largest = Math.max(0.05, ...gradient.map(Math.abs));
    for (let sample = 0; sample < 3; sample++) {
      const at = rng.int(t.data.length);
      const step = 2 ** -7;
      const shifted = async (by: number) => {
        const moved = f32(t.shape, Float32Array.from(t.data));
        moved.data[at]! += by;
        return (await run({ [name]: moved }))["loss"]!.data[0] as number;
      };
      const difference = ((await shifted(step)) - (await shifted(-step))) / (2 * step);
      assert.ok(
        Math.abs(difference - gradient[at]!) < 5e-3 * largest,
        `${name}[${at}]: ${gradient[at]} against ${difference}`,
      );
    }
  }
  await runtime.close();
}

describe("a small CLIP's gradient is its finite difference, in every weight", () => {
  test("CLIP's text transformer", () => checkGradients(tiny));
  test("BERT, its first token through its dense layer", () =>
    checkGradients(withBert({ positionsAfterPad: false, pool: "cls", projection: "linear" })));
  test("RoBERTa, the mean of its tokens", () =>
    checkGradients(withBert({ positionsAfterPad: true, pool: "mean", projection: "mlp" })));
});

test("the last block computes what the pool reads and no more, to the same features", async () => {
  const rng = random("reading");
  const w = mapTree(clipSpec(tiny), isSpec, ({ shape }) =>
    constant(
      f32(
        shape,
        Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()),
      ),
    ),
  ) as ClipWeights<Value>;
  const images = constant(pixels(3, 8, 4));
  const ids = constant(i64([3, 4], [1, 5, 10, 0, 1, 10, 0, 0, 1, 2, 3, 10]));
  const tap = () => undefined;
  const image = (context: Context) => encodeImage(tiny, w, images, context);
  for (const causal of [true, false])
    for (const pool of ["argmax", "eos", "first", "last"] as const) {
      const config = { ...tiny, text: { ...tiny.text, causal, pool, eosId: 10 } as typeof tiny.text };
      const text = (context: Context) => encodeText(config, w, ids, context);
      const [narrow, whole] = [
        { image: image({}), text: text({}) },
        { image: image({ tap }), text: text({ tap }) },
      ];
      assert.ok(flops(Object.values(narrow)) < 0.8 * flops(Object.values(whole)));
      const [a, b] = [await evaluate(narrow), await evaluate(whole)];
      for (const tower of ["image", "text"] as const)
        a[tower].data.forEach((x, i) => assert.ok(Math.abs(Number(x) - Number(b[tower].data[i])) < 1e-5));
    }
});
