import assert from "node:assert/strict";
import { test } from "node:test";
import {
  add,
  constant,
  gradients,
  input,
  layerNorm,
  matmul,
  mul,
  softmax,
  sum,
  conv,
  reshape,
  gemm,
} from "../graph/index.js";
import { f32, random } from "../tensor/index.js";
import type { Runtime } from "./runtime.js";

/** What every runtime must do; a skip says why. */
export function testRuntime(
  name: string,
  open: () => Runtime,
  options: { skip?: string | false; tolerance?: number } = {},
): void {
  const { skip = false, tolerance = 1e-5 } = options;
  const each = (what: string, body: (runtime: Runtime) => Promise<void>): void =>
    void test(`${name}: ${what}`, { skip }, async () => {
      const runtime = open();
      try {
        await body(runtime);
      } finally {
        await runtime.close();
      }
    });

  each("computes what it was asked, by name, with lengths known only now", async (runtime) => {
    const x = input("x", ["batch", 2]);
    const program = await runtime.compile({ twice: add(x, x), total: sum(x) });
    assert.deepEqual(program.inputs, ["x"]);
    assert.deepEqual(program.outputs, ["twice", "total"]);
    const { twice, total } = await program.run({ x: f32([2, 2], [1, 2, 3, 4]) });
    assert.deepEqual([...twice!.data], [2, 4, 6, 8]);
    assert.deepEqual(twice!.shape, [2, 2]);
    assert.deepEqual([...total!.data], [10]);
    const again = await program.run({ x: f32([1, 2], [5, 6]) });
    assert.deepEqual([...again["twice"]!.data], [10, 12]);
  });

  each("keeps large constants whole", async (runtime) => {
    const data = Float32Array.from({ length: 40_000 }, (_, i) => i % 17);
    const program = await runtime.compile({ y: mul(constant(f32([40_000], data)), input("x", [])) });
    const { y } = await program.run({ x: f32([], [2]) });
    assert.deepEqual(
      [...y!.data.subarray(9_990, 9_993)],
      [...data.subarray(9_990, 9_993)].map((v) => 2 * v),
    );
  });

  each("answers runs that are asked for at the same time, each with its own result", async (runtime) => {
    const program = await runtime.compile({ y: mul(input("x", [1]), 3) });
    const results = await Promise.all([1, 2, 3, 4, 5].map((v) => program.run({ x: f32([1], [v]) })));
    assert.deepEqual(
      results.map(({ y }) => y!.data[0]),
      [3, 6, 9, 12, 15],
    );
  });

  each("names feeds that are missing and feeds that it does not know", async (runtime) => {
    const program = await runtime.compile({ y: mul(input("x", [1]), 3) });
    await assert.rejects(program.run({ z: f32([1], [1]) }), /Missing: x.*Unknown: z/s);
  });

  each("refuses to run after close, and closes twice", async (runtime) => {
    const program = await runtime.compile({ y: mul(input("x", [1]), 3) });
    await program.close();
    await program.close();
    await assert.rejects(program.run({ x: f32([1], [1]) }), /closed/);
  });

  each("forward and backward of a small network agree with the same program on the CPU", async (runtime) => {
    const { nodeRuntime } = await import("./node.js");
    const cpu = nodeRuntime();
    const rng = random([1, "suite"]);
    const draw = (shape: number[]) =>
      f32(
        shape,
        Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
      );
    const feeds = {
      x: draw([2, 3, 6, 6]),
      k: draw([4, 3, 3, 3]),
      w: draw([5, 4]),
      g: draw([4]),
      b: draw([4]),
    };
    const [x, k, w, g, b] = Object.entries(feeds).map(([key, t]) => input(key, t.shape));
    const tokens = reshape(conv(x!, k!, { stride: 3 }), [8, 4]);
    const attended = matmul(
      softmax(matmul(tokens, reshape(tokens, [4, 8]))),
      layerNorm(tokens, g!, b!, 1e-5),
    );
    const y = gemm(attended, w!, { transB: true });
    const loss = sum(mul(y, y));
    const grads = gradients(loss, [k!, w!, g!, b!]);
    const outputs = { loss, gk: grads[0]!, gw: grads[1]!, gg: grads[2]!, gb: grads[3]! };
    try {
      const [expected, got] = await Promise.all(
        [cpu, runtime].map(async (r) => (await r.compile(outputs)).run(feeds)),
      );
      for (const key of Object.keys(outputs)) {
        const want = expected![key]!.data as Float32Array;
        const scale = Math.max(...want.map(Math.abs));
        want.forEach((value, i) =>
          assert.ok(
            Math.abs(value - Number(got![key]!.data[i])) <= tolerance * scale,
            `${key}[${i}]: ${got![key]!.data[i]} for ${value}`,
          ),
        );
      }
    } finally {
      await cpu.close();
    }
  });
}
