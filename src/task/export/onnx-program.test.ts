import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { temporaryFolder } from "../../../test/made-data.js";
import { constant, gemm, input } from "../../graph/index.js";
import { readModel } from "../../runtime/index.js";
import { f32 } from "../../tensor/index.js";
import { writeOnnxProgram } from "./onnx-program.js";

const x = input("x", ["batch", 200]);
const weights = constant(f32([200, 200], new Float32Array(40_000).fill(0.5)), { name: "w" });
const program = { inputs: [x], outputs: { y: gemm(x, weights, { transB: true }) } };
const run = async (path: string): Promise<Float32Array> => {
  const session = await InferenceSession.create(path);
  const feeds = { x: new Tensor("float32", new Float32Array(200).fill(1), [1, 200]) };
  return (await session.run(feeds))["y"]!.data as Float32Array;
};

test("weights that do not fit into the ONNX file lie beside it", async (t) => {
  const path = join(temporaryFolder(t), "model.onnx");
  assert.deepEqual(await writeOnnxProgram(path, program, "fp32", 100_000), [path, `${path}_data`]);
  assert.equal(statSync(`${path}_data`).size, 160_000);
  assert.equal((await run(path))[0], 100);
});

test("each precision is computed by operators of the ONNX standard alone", async (t) => {
  const folder = temporaryFolder(t);
  for (const [dtype, bytes] of [
    ["fp32", 160_000],
    ["fp16", 80_000],
    ["q8", 40_000],
  ] as const) {
    const path = join(folder, `${dtype}.onnx`);
    assert.deepEqual(await writeOnnxProgram(path, program, dtype), [path]);
    const model = readModel(readFileSync(path));
    assert.deepEqual(model.opsets, [{ domain: "", version: 18 }]);
    assert.ok(model.graph.inputs.every(({ dtype }) => dtype === "float32"));
    assert.ok(model.graph.outputs.every(({ dtype }) => dtype === "float32"));
    const size = statSync(path).size;
    assert.ok(size > bytes && size < bytes + 5_000, `${dtype}: ${size} bytes`);
    assert.ok(Math.abs((await run(path))[0]! - 100) < 0.5);
  }
});
