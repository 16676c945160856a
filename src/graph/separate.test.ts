import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate } from "../runtime/index.js";
import { f32, i64, random, type Tensor } from "../tensor/index.js";
import { add, concat, constant, gemm, input, reshape, split, unpack } from "./ops/index.js";
import { separateProducts } from "./separate.js";
import { topological, type ConstantAttrs } from "./value.js";

const rng = random("separate");
const drawn = (...shape: number[]): Tensor =>
  f32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
  );
const ops = (...values: Parameters<typeof topological>[0]) => topological(values).map(({ op }) => op.name);

test("a product that is split becomes one for each part, with the same numbers", async () => {
  const weight = constant(drawn(12, 6), { name: "in", location: { path: "/m", offset: 100, length: 288 } });
  const bias = constant(drawn(12));
  const rows = constant(i64([6], [0, 1, 2, 0, 1, 3]));
  const places = constant(i64([4], [0, 1, 2, 5]));
  const x = input("x", [4, 6]);
  for (const move of [
    (y: typeof x) => reshape(y, [2, 2, 12]),
    (y: typeof x) => reshape(unpack(y, { rows, places, gaps: false }), [2, 3, 12]),
  ]) {
    const [a, b, c] = split(move(gemm(x, weight, { transB: true, bias })), 2, [3, 3, 6]);
    const joined = { y: concat([add(a!, b!), c!], 2) };
    const apart = separateProducts(joined);
    assert.equal(ops(apart.y).filter((name) => name === "gemm").length, 3);
    assert.ok(!ops(apart.y).includes("split"));
    const places = topological([apart.y])
      .map(({ attrs }) => attrs as ConstantAttrs | undefined)
      .filter((attrs) => attrs?.name?.startsWith("in."))
      .map((attrs) => [attrs!.name, attrs!.location!.offset, attrs!.location!.length]);
    assert.deepEqual(places, [["in.0", 100, 72], ["in.1", 172, 72], ["in.2", 244, 144]]); // prettier-ignore
  }
  const plain = constant(drawn(12, 6));
  const [a, , c] = split(gemm(x, plain, { transB: true, bias }), 1, [3, 3, 6]);
  const feed = { x: drawn(4, 6) };
  const wanted = await evaluate({ a: a!, c: c! }, feed);
  assert.deepEqual(await evaluate(separateProducts({ a: a!, c: c! }), feed), wanted);
});

test("other splits stay", () => {
  const x = input("x", [4, 6]);
  for (const whole of [x, gemm(x, constant(drawn(6, 6)), {})]) {
    const [first] = split(whole, 1, [2, 4]);
    assert.equal(separateProducts({ first: first! }).first, first);
  }
});
