import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { constant, conv, gemm, input, reshape, type Dtype } from "../graph/index.js";
import type { Program } from "../runtime/index.js";
import { zeros } from "../tensor/index.js";
import { fastestWithinLoss, gainsByBytes } from "./choose-dtype.js";

test("towers of large linear layers gain by bytes; small ones, and those of convolutions, do not", () => {
  const weights = (...shape: number[]) => constant(zeros("float32", shape), { name: "w" });
  const wide = (rows: number) => gemm(input("x", [rows, 1024]), weights(2048, 1024), { transB: true });
  assert.ok(gainsByBytes(wide(50)));
  assert.ok(!gainsByBytes(wide(2)));
  const convolved = conv(input("x", [1, 64, 56, 56]), weights(64, 64, 3, 3), { pads: [1, 1, 1, 1] });
  assert.ok(!gainsByBytes(convolved));
  assert.ok(!gainsByBytes(gemm(reshape(convolved, [196, 1024]), weights(64, 1024), { transB: true })));
});

/** A tower whose bytes have a certain cosine to its float32. */
function tower(path: string, cosine: number, examples = true) {
  const compiled: Dtype[] = [];
  const closed: Dtype[] = [];
  const compile = async (dtype: Dtype): Promise<Program> => {
    compiled.push(dtype);
    const close = async () => void closed.push(dtype);
    return { inputs: [dtype], outputs: [], run: () => Promise.reject(new Error()), close };
  };
  const far = Float32Array.of(1, 0, cosine, Math.sqrt(1 - cosine ** 2));
  return {
    source: {
      compile,
      path,
      dim: 2,
      examples: async ({ inputs }: Program) =>
        !examples ? undefined : inputs[0] === "q8" ? far : Float32Array.of(1, 0, 1, 0),
    },
    compiled,
    closed,
  };
}

test("bytes are chosen where the example that loses most is near enough; that is found out once", async () => {
  const folder = mkdtempSync(join(tmpdir(), "clipt-test-"));
  try {
    for (const [cosine, chosen, left] of [
      [0.995, "q8", "fp32"],
      [0.985, "fp32", "q8"],
    ] as const) {
      const path = join(folder, "weights", `${cosine}.json`);
      const first = tower(path, cosine);
      assert.deepEqual((await fastestWithinLoss(first.source)).inputs, [chosen]);
      assert.deepEqual(first.closed, [left]);
      const noted = JSON.parse(readFileSync(path, "utf8")) as { cosine: number };
      assert.ok(Math.abs(noted.cosine - cosine) < 1e-6);
      const second = tower(path, cosine);
      await fastestWithinLoss(second.source);
      assert.deepEqual(second.compiled, [chosen]);
      writeFileSync(path, "{");
      const third = tower(path, cosine);
      await fastestWithinLoss(third.source);
      assert.deepEqual(third.compiled, ["fp32", "q8"]);
    }
    const without = tower(join(folder, "none.json"), 1, false);
    assert.deepEqual((await fastestWithinLoss(without.source)).inputs, ["fp32"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
