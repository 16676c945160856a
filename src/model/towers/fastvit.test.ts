import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { constant, gradients, input, mul, sum, type Value } from "../../graph/index.js";
import { packageRoot } from "../../package-root.js";
import { evaluate } from "../../runtime/index.js";
import { flatten, mapTree, toFloat32, type Tensor } from "../../tensor/index.js";
import { readWeights } from "../../weights/index.js";
import { openCheckpoint } from "../checkpoint.js";
import { clipSpec, encodeImage, type ClipWeights } from "../clip.js";
import { isSpec } from "../spec.js";
import { constants, readAll } from "../values.js";

const folder = join(packageRoot, "test/fixtures/models/mobileclip-s-tiny");

/** Of the greatest number of a tensor; PyTorch's own float32 is up to 4e-5 from the float64 of the reference. */
const allowed = 1e-4;

function assertNear(got: Tensor, expected: Tensor, name: string): void {
  assert.deepEqual(got.shape, expected.shape, name);
  const wanted = expected.data as Float32Array;
  const scale = wanted.reduce((greatest, x) => Math.max(greatest, Math.abs(x)), 1);
  wanted.forEach((x, i) => {
    const apart = Math.abs(Number(got.data[i]) - x);
    assert.ok(apart <= allowed * scale, `${name}, ${i}: ${apart} apart, of up to ${scale}`);
  });
}

test("in training: features, running statistics and gradients are timm's", async () => {
  const { config, weights } = await openCheckpoint(folder);
  const { tensors } = await readAll(weights).finally(() => weights.close());
  const inputs = mapTree(clipSpec(config), isSpec, ({ shape }, name) => input(name, shape));
  const pixels = toFloat32((await readWeights(join(folder, "golden.safetensors"))).get("pixel_values")!);
  const expected = await readWeights(join(folder, "training.safetensors"));
  const statistics = new Map<string, Value>();
  const features = encodeImage(config, inputs as ClipWeights<Value>, constant(pixels), { statistics });
  const loss = sum(mul(features, constant(expected.get("feature_weights")!)));
  const named = [...flatten(inputs, (x): x is Value => typeof x === "object" && x !== null && "node" in x)];
  const wanted = named.filter(([name]) => expected.has(`gradient.${name}`));
  const slopes = gradients(loss, wanted.map(([, value]) => value)); // prettier-ignore
  const outputs = Object.fromEntries([
    ["image_features", features],
    ...[...statistics].map(([name, value]) => [`statistics.${name}`, value] as const),
    ...wanted.map(([name], i) => [`gradient.${name}`, slopes[i]!] as const),
  ]) as Record<string, Value>;
  const feeds = Object.fromEntries(
    named
      .filter(([name]) => name.startsWith("visual."))
      .map(([name]) => [name, toFloat32(tensors.get(name)!)]),
  );
  const got = await evaluate(outputs, feeds);
  for (const [name, tensor] of expected) if (name !== "feature_weights") assertNear(got[name]!, tensor, name);
  assert.ok(wanted.length > 30 && statistics.size > 30);
});

test("folded by the program: one convolution stands where training has several branches", async () => {
  const { config, weights } = await openCheckpoint(folder);
  const { tensors } = await readAll(weights).finally(() => weights.close());
  const seen = new Set<unknown>();
  const count = (value: Value): number => {
    if (seen.has(value.node)) return 0;
    seen.add(value.node);
    const own = value.node.op.name === "conv" ? 1 : 0;
    return value.node.inputs.reduce((total, x) => total + count(x), own);
  };
  const pixels = input("pixels", ["batch", 3, 48, 48]);
  // Stem 3, downsampling 3 · 2, places 1, blocks 4 · 4 and 1 · 3, the last 1 with a squeeze of 2, and 2 squeezes of 2.
  assert.equal(count(encodeImage(config, constants(config, tensors), pixels)), 36);
});
