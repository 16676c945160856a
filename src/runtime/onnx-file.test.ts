import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../test/made-data.js";
import { constant, input, mul } from "../graph/index.js";
import { CliptError, f32 } from "../tensor/index.js";
import { encodeModel, inspectOnnx, nodeRuntime, readModel, readSignature, writeModel } from "./index.js";

const weights = f32([20_000], new Float32Array(20_000).fill(3));
const program = { y: mul(input("x", ["batch", 1]), constant(weights)) };

/** The program with its weights in another file of that name. */
function withData(path: string, name: string): Uint8Array {
  const { bytes, own } = encodeModel(program, { ownFile: name });
  writeFileSync(path, bytes);
  return Buffer.concat(own);
}

async function run(path: string): Promise<number> {
  const runtime = nodeRuntime();
  try {
    const opened = await runtime.load(await inspectOnnx(path));
    return Number((await opened.run({ x: f32([1, 1], [2]) }))["y"]!.data[19_999]);
  } finally {
    await runtime.close();
  }
}

test("a file is run as it is, with the weights beside it", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "model.onnx");
  writeFileSync(join(folder, "model.onnx_data"), withData(path, "model.onnx_data"));
  const { inputs, outputs } = await inspectOnnx(path);
  assert.deepEqual(inputs, [{ name: "x", dtype: "float32", shape: ["batch", 1] }]);
  assert.deepEqual(outputs, [{ name: "y", dtype: "float32", shape: ["batch", 20_000] }]);
  assert.equal(await run(path), 6);
});

test("a cache's links to its files are followed", async (t) => {
  const folder = temporaryFolder(t);
  for (const name of ["blobs", "snapshot"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "blobs", "b"), withData(join(folder, "blobs", "a"), "model.onnx_data"));
  symlinkSync("../blobs/a", join(folder, "snapshot", "model.onnx"));
  symlinkSync("../blobs/b", join(folder, "snapshot", "model.onnx_data"));
  assert.equal(await run(join(folder, "snapshot", "model.onnx")), 6);
});

test("other weights beside the same file are another model", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "model.onnx");
  const data = withData(path, "data");
  writeFileSync(join(folder, "data"), data);
  const { digest } = await inspectOnnx(path);
  data[0]! ^= 1;
  writeFileSync(join(folder, "data"), data);
  assert.notEqual((await inspectOnnx(path)).digest, digest);
});

test("weights from outside of the folder are refused", async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "sub"));
  writeFileSync(join(folder, "secret"), "s".repeat(80_000));
  const path = join(folder, "sub", "model.onnx");
  const refused = ["../secret", join(folder, "secret"), "a/../../secret", "..\\secret", "C:\\secret", ""];
  symlinkSync("../secret", join(folder, "sub", "link"));
  symlinkSync("..", join(folder, "sub", "up"));
  // ONNX Runtime's own word for "at this address of the memory".
  for (const name of [...refused, "link", "up/secret", "*/_ORT_MEM_ADDR_/*"]) {
    withData(path, name);
    await assert.rejects(
      inspectOnnx(path),
      (error) =>
        error instanceof CliptError && error.code === "format" && error.message.includes("own folder"),
      name,
    );
  }
});

test("weights beyond the end of their file are refused before anything maps them", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "model.onnx");
  const data = withData(path, "data");
  writeFileSync(join(folder, "data"), data.subarray(0, -1));
  await assert.rejects(inspectOnnx(path), {
    code: "format",
    message: /wants 80000 bytes of "data", which has 79999/,
  });
  writeFileSync(join(folder, "data"), data);
  const model = readModel(encodeModel(program, { ownFile: "data" }).bytes);
  const [tensor] = model.graph.initializers;
  for (const place of [
    { offset: -4 },
    { offset: 2 ** 60 },
    { length: -1 },
    { length: 1e300 },
    { offset: 0.5 },
  ]) {
    const moved = { ...tensor!, data: { location: "data", offset: 0, length: 80_000, ...place } };
    writeFileSync(path, writeModel({ ...model, graph: { ...model.graph, initializers: [moved] } }));
    await assert.rejects(inspectOnnx(path), { code: "format" }, JSON.stringify(place));
  }
});

test("weights are found wherever a model hides them", () => {
  const model = readModel(encodeModel(program).bytes);
  const tensor = {
    name: "t",
    dtype: "float32",
    shape: [1],
    data: { location: "../deep", offset: 0, length: 4 },
  } as const;
  const node = {
    type: "Constant",
    domain: "",
    inputs: [],
    outputs: ["t"],
    attributes: [{ name: "value", kind: "tensor", value: tensor }],
  } as const;
  const bytes = writeModel({ ...model, graph: { ...model.graph, nodes: [node, ...model.graph.nodes] } });
  assert.deepEqual(readSignature(bytes).external, [{ location: "../deep", end: 4 }]);
});

test("a file that is cut anywhere, or is none, is a format error", () => {
  const { bytes } = encodeModel(program);
  for (let length = 0; length < bytes.length; length += 997)
    try {
      readSignature(bytes.subarray(0, length));
    } catch (error) {
      assert.ok(error instanceof CliptError && error.code === "format", `${length}: ${String(error)}`);
    }
  assert.throws(() => readSignature(Buffer.from("not a model at all")), CliptError);
});
