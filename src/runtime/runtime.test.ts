import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { constant, input, mul, cast } from "../graph/index.js";
import { CliptError, f32, toFloat16 } from "../tensor/index.js";
import { encodeModel, evaluate, nodeRuntime, readModel, workerRuntime, writeModel } from "./index.js";
import { testRuntime } from "./runtime-suite.js";

testRuntime("onnxruntime-node", () => nodeRuntime());
testRuntime("worker threads", () => workerRuntime({ workers: 2 }));

test("weights are mapped from the file where they lie, float16 ones too", async () => {
  const folder = mkdtempSync(join(tmpdir(), "clipt-test-"));
  try {
    const weights = f32([3], [1.5, -2, 0.25]);
    const half = toFloat16(weights);
    const path = join(folder, "some weights.bin");
    writeFileSync(
      path,
      Buffer.concat([Buffer.alloc(8), Buffer.from(weights.data.buffer), Buffer.from(half.data.buffer)]),
    );
    const full = constant(weights, { name: "w", location: { path, offset: 8, length: 12 } });
    const short = cast(constant(half, { name: "h", location: { path, offset: 20, length: 6 } }), "float32");
    const x = input("x", [1]);
    const { a, b } = await evaluate({ a: mul(full, x), b: mul(short, x) }, { x: f32([1], [2]) });
    assert.deepEqual([...a.data], [3, -4, 0.5]);
    assert.deepEqual([...b.data], [3, -4, 0.5]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("an encoded model reads back as it was written", () => {
  const x = input("x", ["batch", 2]);
  const { bytes } = encodeModel({ y: mul(x, constant(f32([2], [3, 4]))) });
  const model = readModel(bytes);
  assert.deepEqual(model.graph.inputs, [{ name: "x", dtype: "float32", shape: ["batch", 2] }]);
  assert.deepEqual(
    model.graph.nodes.map((node) => node.type),
    ["Mul", "Identity"],
  );
  assert.deepEqual(writeModel(model), bytes);
});

test("bytes that are no ONNX model are a format error", () => {
  const { bytes } = encodeModel({ y: mul(input("x", [2]), 3) });
  for (let length = 0; length < bytes.length; length += 3)
    try {
      readModel(bytes.subarray(0, length));
    } catch (error) {
      assert.ok(error instanceof CliptError, `${length}: ${String(error)}`);
    }
  assert.throws(() => readModel(Buffer.from("not a model at all")), CliptError);
});

// WebGPU without a GPU: SwiftShader from Debian's chromium-common with libvulkan1. ONNX Runtime's WebGPU ends a
// process badly when there is no adapter, so a child process tries it.
const icd = "/usr/lib/chromium/vk_swiftshader_icd.json";
test(
  "webgpu agrees with the CPU",
  { skip: !existsSync(icd) && "needs SwiftShader: apt-get install chromium-common libvulkan1" },
  () => {
    const child = spawnSync(
      process.execPath,
      ["--test", fileURLToPath(new URL("./webgpu.child.js", import.meta.url))],
      {
        env: { ...process.env, VK_ICD_FILENAMES: icd, NODE_TEST_CONTEXT: "" },
        encoding: "utf8",
        timeout: 300_000,
      },
    );
    assert.equal(child.status, 0, child.stdout + child.stderr);
  },
);
