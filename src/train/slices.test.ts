import assert from "node:assert/strict";
import { test } from "node:test";
import { tinyConfig, tinyPart, tinyWeights } from "../../test/tiny-model.js";
import { constant, gradients, input, mul, sum, topological, type Value } from "../graph/index.js";
import { clipSpec, encodeImage, encodeText, tokensOf } from "../model/index.js";
import { nodeRuntime } from "../runtime/index.js";
import { f32, random } from "../tensor/index.js";
import { inSlices } from "./slices.js";
import { weightInputs } from "./step-graphs.js";
import type { Forward } from "./tower.js";

const batch = 300;
const weights = weightInputs({ spec: clipSpec(tinyConfig), dtypeOf: () => "float32" });
const towers = {
  image: { slices: 2, forward: (x, context) => encodeImage(tinyConfig, weights, x, context) },
  text: { slices: 3, forward: (x, context) => encodeText(tinyConfig, weights, x, context) },
} satisfies Record<string, { slices: number; forward: Forward }>;

for (const [name, { slices, forward }] of Object.entries(towers) as [
  "image" | "text",
  (typeof towers)["text"],
][]) {
  const sliced = inSlices(forward, (x) => tokensOf[name](tinyConfig, x));
  const data = tinyPart("slices", batch)[name];
  const x = input("x", data.shape, data.dtype);

  test(`${name}: a large batch goes through the tower in ${slices} slices, with the same features and gradients`, async () => {
    assert.equal(slicesOf(sliced(x, {})), slices);
    const runtime = nodeRuntime({ threads: 1 });
    const [whole, parts] = [await run(forward), await run(sliced)];
    await runtime.close();
    assert.deepEqual([...parts.keys()], [...whole.keys()]);
    for (const [output, numbers] of whole) {
      const data = numbers.data as Float32Array;
      const scale = data.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
      data.forEach((value, i) => {
        const other = Number(parts.get(output)!.data[i]);
        assert.ok(Math.abs(value - other) < 1e-5 * scale, `${output}[${i}]: ${other} beside ${value}`);
      });
    }

    async function run(tower: Forward) {
      const features = tower(x, {});
      const rng = random("cotangent");
      const values = Float32Array.from({ length: batch * tinyConfig.embedDim }, () => rng.normal());
      const loss = sum(mul(features, constant(f32([batch, tinyConfig.embedDim], values))));
      const leaves = topological([loss])
        .filter(({ op, attrs }) => op.name === "input" && nameOf(attrs) !== "x")
        .map(({ attrs, outputs }) => ({ name: nameOf(attrs)!, value: outputs[0]! }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
      const found = gradients(
        loss,
        leaves.map(({ value }) => value),
      );
      const program = await runtime.compile({
        features,
        ...Object.fromEntries(leaves.map(({ name }, i) => [`gradient.${name}`, found[i]!])),
      });
      const own = tinyWeights();
      const feeds = leaves.map(({ name }) => [name, own.get(name)!] as const);
      return new Map(Object.entries(await program.run({ x: data, ...Object.fromEntries(feeds) })));
    }
  });

  test(`${name}: what needs the whole batch, and a small batch, stays whole`, () => {
    assert.equal(slicesOf(sliced(x, { tap: () => {} })), 1);
    assert.equal(slicesOf(sliced(x, { statistics: new Map() })), 1);
    assert.equal(slicesOf(sliced(input("x", [8, ...data.shape.slice(1)], data.dtype), {})), 1);
    assert.equal(slicesOf(sliced(input("x", ["batch", ...data.shape.slice(1)], data.dtype), {})), 1);
  });
}

/** How many parts the input was cut into. */
function slicesOf(features: Value): number {
  const cut = topological([features]).find(
    ({ op, inputs }) => op.name === "split" && nameOf(inputs[0]!.node.attrs) === "x",
  );
  return cut?.outputs.length ?? 1;
}

const nameOf = (attrs: unknown): string | undefined => (attrs as { name?: string }).name;
