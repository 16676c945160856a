import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate } from "../../runtime/index.js";
import { f32, i64, random, sizeOf, type Shape, type Tensor } from "../../tensor/index.js";
import { gradients } from "../gradient.js";
import { defineOp } from "../op.js";
import type { Value } from "../value.js";
import * as ops from "./index.js";

/**
 * One line per op: checks the result's type and, against central differences, the gradient of a random projection
 * of the result with respect to every input.
 */
function checkOp(
  name: string,
  apply: (...inputs: Value[]) => Value,
  shapes: readonly Shape[],
  {
    expected,
    draw = (r) => r.normal(),
  }: { expected?: Shape; draw?: (rng: ReturnType<typeof random>) => number } = {},
): void {
  test(`${name}: shape and gradient`, async () => {
    const rng = random([7, name]);
    const tensors = shapes.map((shape) =>
      f32(
        shape as number[],
        Float32Array.from({ length: sizeOf(shape) }, () => draw(rng)),
      ),
    );
    const inputs = shapes.map((shape, i) => ops.input(`x${i}`, shape));
    const result = apply(...inputs);
    if (expected !== undefined) assert.deepEqual(result.shape, expected);
    const weights = f32(
      result.shape as number[],
      Float32Array.from({ length: sizeOf(result.shape) }, () => rng.normal()),
    );
    const loss = ops.sum(ops.mul(result, ops.constant(weights)));
    const grads = gradients(loss, inputs);
    const feeds = (list: readonly Tensor[]) => Object.fromEntries(list.map((t, i) => [`x${i}`, t]));
    const outputs = Object.fromEntries(grads.map((g, i) => [`g${i}`, g]));
    const exact: Record<string, Tensor> = await evaluate({ result, ...outputs }, feeds(tensors));
    assert.deepEqual(exact["result"]!.shape, result.shape);

    // One program computes all shifted losses: the inputs are constants of many copies.
    const step = 1 / 128;
    const wanted: { shifted: Value; name: string }[] = [];
    tensors.forEach((t, i) => {
      for (let j = 0; j < t.data.length; j++)
        for (const sign of [1, -1]) {
          const data = Float32Array.from(t.data);
          data[j]! += sign * step;
          const copy = tensors.map((u, k) => ops.constant(k === i ? f32(u.shape, data) : u));
          wanted.push({
            name: `d${i}_${j}_${sign}`,
            shifted: ops.sum(ops.mul(apply(...copy), ops.constant(weights))),
          });
        }
    });
    const numeric = await evaluate(Object.fromEntries(wanted.map(({ name, shifted }) => [name, shifted])));
    tensors.forEach((t, i) => {
      const gradient = exact[`g${i}`]!.data as Float32Array;
      const scale = Math.max(1, ...gradient.map(Math.abs));
      for (let j = 0; j < t.data.length; j++) {
        const [up, down] = [1, -1].map((sign) => Number(numeric[`d${i}_${j}_${sign}`]!.data[0]));
        const difference = (up! - down!) / (2 * step);
        assert.ok(
          Math.abs(difference - gradient[j]!) < 4e-3 * scale,
          `input ${i}, element ${j}: ${gradient[j]} against ${difference}`,
        );
      }
    });
  });
}

const positive = { draw: (rng: ReturnType<typeof random>) => 0.5 + rng.next() };
/** Away from kinks, where no derivative exists. */
const apart = { draw: (rng: ReturnType<typeof random>) => (rng.int(2) * 2 - 1) * (0.2 + rng.next()) };

checkOp("add", ops.add, [[2, 3], [3]], { expected: [2, 3] });
checkOp("sub", ops.sub, [[2, 1], [3]], { expected: [2, 3] });
checkOp("mul", ops.mul, [
  [2, 3],
  [2, 1],
]);
checkOp("div", ops.div, [[2, 3], [3]], positive);
checkOp("max", ops.max, [[5], [5]], apart);
checkOp("min", ops.min, [[5], [5]], apart);
checkOp("neg", ops.neg, [[3]]);
checkOp("exp", ops.exp, [[3]]);
checkOp("log", ops.log, [[3]], positive);
checkOp("sqrt", ops.sqrt, [[3]], positive);
checkOp("reciprocal", ops.reciprocal, [[3]], positive);
checkOp("tanh", ops.tanh, [[3]]);
checkOp("sigmoid", ops.sigmoid, [[3]]);
checkOp("softplus", ops.softplus, [[4]]);
checkOp("abs", ops.abs, [[4]], apart);
checkOp("erf", ops.erf, [[4]]);
checkOp("quickGelu", ops.quickGelu, [[2, 3]]);
checkOp("relu", ops.relu, [[6]], apart);
checkOp("clip", (x) => ops.clip(x, -0.6, 0.7), [[8]], { draw: (rng) => rng.int(8) / 4 - 1 + 0.05 });
checkOp("where", (a, b) => ops.where(ops.less(a, b), a, b), [[5], [5]], apart);
checkOp("cast", (x) => ops.cast(ops.cast(x, "float64"), "float32"), [[3]]);
checkOp("sum", (x) => ops.sum(x, [0, -1]), [[2, 3, 4]], { expected: [1, 3, 1] });
checkOp("mean", (x) => ops.mean(x, 1), [[2, 3, 4]], { expected: [2, 1, 4] });
checkOp("reduceMax", (x) => ops.reduceMax(x, 1), [[2, 4]], { expected: [2, 1], ...apart });
checkOp("softmax", (x) => ops.softmax(x), [[2, 4]]);
checkOp("logSoftmax", (x) => ops.logSoftmax(x, 0), [[3, 2]]);
const packing: ops.Packing = {
  places: ops.constant(i64([3], [0, 3, 4])),
  rows: ops.constant(i64([5], [0, -1, -1, 1, 2])),
};
checkOp("pack", (x) => ops.pack(x, packing), [[5, 2]], { expected: [3, 2] });
checkOp("unpack", (x) => ops.unpack(x, packing), [[3, 2]], { expected: [5, 2] });
checkOp(
  "matmul",
  ops.matmul,
  [
    [2, 3, 4],
    [4, 5],
  ],
  { expected: [2, 3, 5] },
);
checkOp(
  "matmul, both batched",
  ops.matmul,
  [
    [2, 1, 2, 3],
    [3, 3, 2],
  ],
  { expected: [2, 3, 2, 2] },
);
for (const transA of [false, true])
  for (const transB of [false, true])
    checkOp(
      `gemm ${transA} ${transB}`,
      (a, b, bias) => ops.gemm(a, b, { transA, transB, bias }),
      [transA ? [3, 2] : [2, 3], transB ? [4, 3] : [3, 4], [4]],
      { expected: [2, 4] },
    );
checkOp("reshape", (x) => ops.reshape(x, [3, -1]), [[2, 6]], { expected: [3, 4] });
checkOp("transpose", (x) => ops.transpose(x, [2, 0, 1]), [[2, 3, 4]], { expected: [4, 2, 3] });
checkOp("expand", (x) => ops.expand(x, [2, 3, 4]), [[3, 1]], { expected: [2, 3, 4] });
checkOp(
  "concat",
  (a, b) => ops.concat([a, b], 1),
  [
    [2, 1],
    [2, 3],
  ],
  { expected: [2, 4] },
);
checkOp(
  "split",
  (x) => {
    const [a, b, c] = ops.split(x, 1, [1, 2, 1]);
    return ops.mul(ops.mul(a!, b!), c!);
  },
  [[2, 4]],
  { expected: [2, 2] },
);
checkOp("split, one part unused", (x) => ops.split(x, 0, [2, 1])[1]!, [[3, 2]], { expected: [1, 2] });
checkOp("slice", (x) => ops.slice(x, 1, 1, 3), [[2, 4]], { expected: [2, 2] });
checkOp("slice with step", (x) => ops.slice(x, 0, 1, 6, 2), [[7]], { expected: [3] });
checkOp("slice with step, short end", (x) => ops.slice(x, 0, 0, 5, 3), [[5]], { expected: [2] });
checkOp(
  "pad",
  (x) =>
    ops.pad(x, [
      [0, 0],
      [1, 2],
    ]),
  [[2, 2]],
  { expected: [2, 5] },
);
const ids = ops.constant(i64([2, 2], [0, 2, 2, 1]));
checkOp("gather", (table) => ops.gather(table, ids), [[3, 2]], { expected: [2, 2, 2] });
checkOp("scatterAdd", (rows) => ops.scatterAdd(ops.reshape(ids, [4]), rows, 3), [[4, 2]], {
  expected: [3, 2],
});
checkOp("layerNorm", (x, g, b) => ops.layerNorm(x, g, b, 1e-5), [[3, 4], [4], [4]]);
checkOp(
  "conv",
  (x, w, bias) => ops.conv(x, w, { stride: 2, pads: [1, 1, 1, 1], bias }),
  [[2, 2, 5, 4], [3, 2, 3, 3], [3]],
  { expected: [2, 3, 3, 2] },
);
checkOp(
  "conv, uneven pads",
  (x, w) => ops.conv(x, w, { stride: 2, pads: [0, 0, 1, 1] }),
  [
    [1, 2, 4, 4],
    [2, 2, 3, 3],
  ],
  { expected: [1, 2, 2, 2] },
);
checkOp("conv, pointwise", (x, w) => ops.conv(x, w), [
  [2, 3, 2, 2],
  [4, 3, 1, 1],
]);
checkOp("conv, depthwise", (x, w) => ops.conv(x, w, { groups: 3, pads: [1, 1, 1, 1] }), [
  [2, 3, 3, 3],
  [3, 1, 3, 3],
]);
checkOp(
  "conv, depthwise with stride",
  (x, w) => ops.conv(x, w, { groups: 2, stride: 2, pads: [0, 0, 1, 1] }),
  [
    [2, 2, 4, 4],
    [2, 1, 3, 3],
  ],
);
checkOp(
  "conv, two kernels a channel",
  (x, w) => ops.conv(x, w, { groups: 2, stride: 2, pads: [1, 1, 1, 1] }),
  [
    [2, 2, 4, 4],
    [4, 1, 3, 3],
  ],
);
checkOp("conv, groups", (x, w) => ops.conv(x, w, { groups: 2, pads: [1, 1, 1, 1] }), [
  [1, 4, 3, 3],
  [2, 2, 3, 3],
]);
checkOp(
  "gradient of a gradient of conv",
  (x, w) =>
    gradients(ops.sum(ops.mul(ops.conv(x, w, { stride: 2 }), ops.conv(x, w, { stride: 2 }))), [x])[0]!,
  [
    [1, 1, 5, 5],
    [1, 1, 3, 3],
  ],
  { expected: [1, 1, 5, 5] },
);
checkOp(
  "recompute keeps the gradient",
  (x, w) => {
    const inner = ops.tanh(ops.matmul(x, w));
    const y = ops.tanh(ops.matmul(inner, w));
    return gradients(ops.sum(ops.mul(y, y)), [x], { recompute: [{ inputs: [inner], output: y }] })[0]!;
  },
  [
    [2, 3],
    [3, 3],
  ],
);

checkOp(
  "recompute of blocks one after another",
  (x, w) => {
    const middle = ops.add(x, ops.tanh(ops.matmul(x, w)));
    const y = ops.add(middle, ops.tanh(ops.matmul(middle, w)));
    const recompute = [
      { inputs: [x], output: middle },
      { inputs: [middle], output: y },
    ];
    const grads = gradients(ops.sum(ops.exp(y)), [x, w], { recompute });
    const kept = gradients(ops.sum(ops.exp(y)), [x, w]);
    // Their difference is 0, and so is its gradient.
    return ops.add(ops.add(ops.sub(grads[0]!, kept[0]!), ops.sub(grads[1]!, kept[1]!)), x);
  },
  [
    [3, 3],
    [3, 3],
  ],
);

test("where values are equal, the gradient goes to the first", async () => {
  const x = ops.input("x", [1]);
  const [g] = gradients(ops.sum(ops.max(x, ops.constant(f32([1], [1])))), [x]);
  assert.deepEqual([...(await evaluate({ g: g! }, { x: f32([1], [1]) })).g.data], [1]);
});

test("shapes that do not fit are refused where they meet", () => {
  assert.throws(() => ops.add(ops.input("a", [2]), ops.input("b", [3])), /\[2\] and \[3\] do not broadcast/);
  assert.throws(() => ops.matmul(ops.input("a", [2, 3]), ops.input("b", [2, 3])), /does not fit/);
  assert.throws(() => ops.reshape(ops.input("a", [2, 3]), [4]), /does not hold/);
});

test("no gradient flows through an index, and the message says so", () => {
  const x = ops.input("x", [3]);
  assert.throws(
    () => gradients(ops.sum(ops.cast(ops.argmax(x), "float32")), [x]),
    /argmax: an index is constant/,
  );
});

test("symbols are read from the inputs at run time", async () => {
  const x = ops.input("x", ["batch", "length", 2]);
  const [batch, length] = x.shape;
  const flat = ops.reshape(x, [-1, 2]);
  assert.deepEqual(flat.shape, ["batch*length", 2]);
  const back = ops.transpose(ops.reshape(flat, [batch!, length!, 2]), [1, 0, 2]);
  const hot = ops.oneHot(ops.range(length!), length!);
  const feed = { x: f32([2, 3, 2], [...Array(12).keys()]) };
  const { back: y, hot: eye, m } = await evaluate({ back, hot, m: ops.mean(x, [0, 1]) }, feed);
  assert.deepEqual(y.shape, [3, 2, 2]);
  assert.deepEqual([...y.data].slice(0, 4), [0, 1, 6, 7]);
  assert.deepEqual([...eye.data], [1, 0, 0, 0, 1, 0, 0, 0, 1]);
  assert.deepEqual([...m.data], [5, 6]);
});

test("an op without a gradient rule does not compile", () => {
  // @ts-expect-error grad is missing
  defineOp({ name: "lost", infer: ([x]) => x!, onnx: "Identity" });
  // @ts-expect-error "none" needs its reason
  defineOp({ name: "lost", infer: ([x]) => x!, onnx: "Identity", grad: {} });
});
