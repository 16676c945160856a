import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate } from "../runtime/index.js";
import { f32, i64, random, toFloat32, type Tensor } from "../tensor/index.js";
import { dtypes, lighten, type Dtype } from "./lighten.js";
import { constant, gather, gemm, input, split } from "./ops/index.js";
import { print } from "./print.js";

const rng = random("lighten");
const drawn = (...shape: number[]): Tensor =>
  f32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
  );
const x = input("x", ["batch", 64]);
const out = constant(drawn(24, 64), { name: "fc.weight" });
const back = constant(drawn(24, 8), { name: "proj" });
const bias = constant(drawn(24), { name: "fc.bias" });
const program = { y: gemm(gemm(x, out, { transB: true, bias }), back) };

/** The share of a result's length that is lost, as published for each: half an ulp, 1/256 of the range, 1/16 of it. */
const losses: Readonly<Record<Dtype, number>> = { fp32: 0, fp16: 1e-3, q8: 0.02, q4: 0.15 };

for (const dtype of dtypes)
  test(`${dtype} loses at most ${losses[dtype]} of two layers`, async () => {
    const feed = { x: drawn(5, 64) };
    const { y: exact } = await evaluate(program, feed);
    const { y: light } = await evaluate(lighten(program, dtype), feed);
    const length = (data: Float32Array) => Math.sqrt(data.reduce((sum, v) => sum + v * v, 0));
    const [wanted, got] = [toFloat32(exact).data, toFloat32(light).data];
    const loss = length(wanted.map((v, i) => v - got[i]!)) / length(wanted);
    assert.ok(loss <= losses[dtype], `${loss}`);
    if (dtype !== "fp32") assert.ok(loss > 0);
  });

test("a linear layer in bytes is what quantize_dynamic writes", () => {
  const { y } = lighten({ y: gemm(x, out, { transB: true, bias }) }, "q8");
  assert.deepEqual(
    print(y)
      .split("\n")
      .map((line) => /= (\w+)/.exec(line)?.[1])
      .filter((name) => name !== "input" && name !== "constant" && name !== undefined),
    ["quantise", "matmulInteger", "cast", "mul", "mul", "add"],
  );
});

test("sums of bytes fit into 16 bits on processors that add them there", () => {
  const seen: Tensor[] = [];
  lighten(program, "q8", (name, make) => {
    const tensor = make();
    seen.push(tensor);
    return constant(tensor, { name });
  });
  const bytes = seen.filter(({ dtype }) => dtype === "int8").flatMap(({ data }) => Array.from(data, Number));
  assert.equal(Math.max(...bytes.map(Math.abs)), 64);
  assert.ok(2 * 255 * 64 < 2 ** 15);
});

test("a large table is looked up in bytes, a small one as it is", async () => {
  const ids = input("ids", ["batch"], "int64");
  const table = drawn(1 << 14, 64);
  const light = lighten(
    {
      large: gather(constant(table, { name: "large" }), ids),
      small: gather(constant(drawn(4, 2), { name: "small" }), ids),
    },
    "q8",
  );
  assert.equal(light.small.node.op.name, "gather");
  const { large } = await evaluate({ large: light.large }, { ids: i64([2], [3, 16000]) });
  [3, 16000].forEach((row, i) => {
    const exact = table.data.slice(row * 64, row * 64 + 64) as Float32Array;
    const step = Math.max(...exact.map(Math.abs)) / 127;
    exact.forEach((v, j) => assert.ok(Math.abs(v - Number(large.data[i * 64 + j])) <= 0.501 * step));
  });
});

test("the rows of a joined matrix that are used alone are quantised alone", async () => {
  const [first, second] = split(out, 0, [8, 16]);
  const parts = { a: gemm(x, first!, { transB: true }), b: gemm(x, second!, { transB: true }) };
  const feed = { x: drawn(3, 64) };
  const { y } = await evaluate(lighten({ y: gemm(x, out, { transB: true }) }, "q8"), feed);
  const { a, b } = await evaluate(lighten(parts, "q8"), feed);
  const rows = [0, 1, 2].flatMap((row) => [
    ...toFloat32(a).data.subarray(row * 8, row * 8 + 8),
    ...toFloat32(b).data.subarray(row * 16, row * 16 + 16),
  ]);
  assert.deepEqual(rows, [...toFloat32(y).data]);
});

test("weights are asked for by name, once", () => {
  const names: string[] = [];
  lighten(
    { a: gemm(x, out, { transB: true }), b: gemm(x, out, { transB: true, bias }) },
    "q8",
    (name, make) => {
      names.push(name);
      return constant(make(), { name });
    },
  );
  assert.deepEqual(names, ["fc.weight.columns", "fc.weight.columns_scale"]);
});
