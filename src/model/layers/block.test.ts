import assert from "node:assert/strict";
import { test } from "node:test";
import { input, print, type Value } from "../../graph/index.js";
import { evaluate } from "../../runtime/index.js";
import { f32, flatten, mapTree, random } from "../../tensor/index.js";
import { isSpec } from "../spec.js";
import { causalMask } from "./attention.js";
import { block, blockSpec, type Block, type BlockConfig } from "./block.js";

const config: BlockConfig = { width: 4, heads: 2, mlpWidth: 8, activation: "quick_gelu", eps: 1e-5 };
const inputs = () =>
  mapTree(blockSpec(config), isSpec, ({ shape }, name) => input(name, shape)) as Block<Value>;

/** %0 is x; the other missing numbers are weights. */
const expected = `\
layerNorm(%0, %1, %2, eps=0.00001) : float32[batch, 3, 4], float32[batch, 3, 1], float32[batch, 3, 1]
reshape(%3, shape=[3*batch, 4]) : float32[3*batch, 4]
gemm(%6, %7, %8, transA=false, transB=true) : float32[3*batch, 12]
reshape(%9, shape=[batch, 3, 12]) : float32[batch, 3, 12]
split(%10, axis=2, sizes=[4, 4, 4]) : float32[batch, 3, 4], float32[batch, 3, 4], float32[batch, 3, 4]
reshape(%11, shape=[batch, 3, 2, 2]) : float32[batch, 3, 2, 2]
transpose(%14, order=[0, 2, 1, 3]) : float32[batch, 2, 3, 2]
reshape(%12, shape=[batch, 3, 2, 2]) : float32[batch, 3, 2, 2]
transpose(%16, order=[0, 2, 3, 1]) : float32[batch, 2, 2, 3]
matmul(%15, %17) : float32[batch, 2, 3, 3]
constant(0.7071067690849304) : float32[]
mul(%18, %19) : float32[batch, 2, 3, 3]
constant() : float32[3, 3]
add(%20, %21) : float32[batch, 2, 3, 3]
softmax(%22, axis=3) : float32[batch, 2, 3, 3]
reshape(%13, shape=[batch, 3, 2, 2]) : float32[batch, 3, 2, 2]
transpose(%24, order=[0, 2, 1, 3]) : float32[batch, 2, 3, 2]
matmul(%23, %25) : float32[batch, 2, 3, 2]
transpose(%26, order=[0, 2, 1, 3]) : float32[batch, 3, 2, 2]
reshape(%27, shape=[batch, 3, 4]) : float32[batch, 3, 4]
reshape(%28, shape=[3*batch, 4]) : float32[3*batch, 4]
gemm(%29, %30, %31, transA=false, transB=true) : float32[3*batch, 4]
reshape(%32, shape=[batch, 3, 4]) : float32[batch, 3, 4]
add(%0, %33) : float32[batch, 3, 4]
layerNorm(%34, %35, %36, eps=0.00001) : float32[batch, 3, 4], float32[batch, 3, 1], float32[batch, 3, 1]
reshape(%37, shape=[3*batch, 4]) : float32[3*batch, 4]
gemm(%40, %41, %42, transA=false, transB=true) : float32[3*batch, 8]
reshape(%43, shape=[batch, 3, 8]) : float32[batch, 3, 8]
quickGelu(%44) : float32[batch, 3, 8], float32[batch, 3, 8]
reshape(%45, shape=[3*batch, 8]) : float32[3*batch, 8]
gemm(%47, %48, %49, transA=false, transB=true) : float32[3*batch, 4]
reshape(%50, shape=[batch, 3, 4]) : float32[batch, 3, 4]
add(%34, %51) : float32[batch, 3, 4]
return %52`;

test("a block is this program: four products of matrices, two per head, and no more", () => {
  const text = print(block(inputs(), input("x", ["batch", 3, 4]), config, { mask: causalMask(3) }));
  assert.equal(
    text
      .split("\n")
      .map((line) => line.replace(/^.* = /, ""))
      .filter((line) => !line.startsWith("input"))
      .join("\n"),
    expected,
  );
});

test("under a causal mask a token is a function of those before it", async () => {
  const rng = random("causal");
  const normal = (shape: readonly number[]) =>
    f32(
      shape,
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    );
  const weights = Object.fromEntries(
    [...flatten(blockSpec(config), isSpec)].map(([name, { shape }]) => [name, normal(shape)]),
  );
  // The mask is built at run time here.
  const program = {
    y: block(inputs(), input("x", [1, "length", 4]), config, { mask: causalMask("length") }),
  };
  const x = normal([1, 3, 4]);
  const changed = f32(
    [1, 3, 4],
    Float32Array.from(x.data, (value, i) => (i < 8 ? value : -value)),
  );
  const [whole, other, short] = [
    await evaluate(program, { ...weights, x }),
    await evaluate(program, { ...weights, x: changed }),
    await evaluate(program, { ...weights, x: f32([1, 2, 4], x.data.subarray(0, 8)) }),
  ].map(({ y }) => y.data as Float32Array);
  for (let i = 0; i < 8; i++) {
    assert.ok(Math.abs(whole![i]! - other![i]!) < 1e-6);
    assert.ok(Math.abs(whole![i]! - short![i]!) < 1e-5);
  }
  assert.ok(Math.abs(whole![9]! - other![9]!) > 1e-3);
});
