import assert from "node:assert/strict";
import { test } from "node:test";
import * as ops from "../../graph/index.js";
import { CliptError, f32, i64, random } from "../../tensor/index.js";
import { evaluate } from "../evaluate.js";
import { importModel } from "./decode.js";
import { encodeModel } from "./encode.js";

test("a model with lengths known only at run time comes back with the same results", async () => {
  const rng = random([3, "import"]);
  const draw = (...shape: number[]) =>
    f32(
      shape,
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    );
  const ids = ops.input("ids", ["batch", "length"], "int64");
  const [batch, length] = ids.shape;
  const tokens = ops.gather(ops.constant(draw(9, 8)), ids);
  const heads = ops.transpose(ops.reshape(tokens, [batch!, length!, 2, 4]), [0, 2, 1, 3]);
  const seen = ops.matmul(ops.softmax(ops.matmul(heads, ops.swap(heads))), heads);
  const normed = ops.layerNorm(
    ops.reshape(ops.transpose(seen, [0, 2, 1, 3]), [batch!, length!, 8]),
    ops.constant(draw(8)),
    ops.constant(draw(8)),
    1e-5,
  );
  const last = ops.reshape(
    ops.matmul(ops.reshape(ops.oneHot(ops.argmax(ids), length!), [batch!, 1, length!]), normed),
    [batch!, 8],
  );
  const y = ops.relu(ops.gemm(last, ops.constant(draw(5, 8)), { transB: true, bias: ops.constant(draw(5)) }));
  const { inputs, outputs } = importModel(encodeModel({ y }).bytes);
  assert.deepEqual(inputs["ids"]!.shape, ["batch", "length"]);
  assert.deepEqual(outputs["y"]!.shape, ["batch", 5]);
  const feeds = { ids: i64([2, 3], [1, 8, 2, 0, 3, 7]) };
  const [first, again] = [await evaluate({ y }, feeds), await evaluate({ y: outputs["y"]! }, feeds)];
  assert.deepEqual(again.y.data, first.y.data);
});

test("an imported convolution can be trained", async () => {
  const x = ops.input("x", [1, 2, 5, 5]);
  const w = ops.input("w", [3, 2, 3, 3]);
  const y = ops.sum(ops.clip(ops.conv(x, w, { stride: 2, pads: [1, 1, 1, 1] }), 0, 6));
  const imported = importModel(encodeModel({ y }).bytes);
  const rng = random(1);
  const draw = (shape: number[]) =>
    f32(
      shape,
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    );
  const feeds = { x: draw([1, 2, 5, 5]), w: draw([3, 2, 3, 3]) };
  const [ours] = ops.gradients(y, [w]);
  const [theirs] = ops.gradients(ops.sum(imported.outputs["y"]!), [imported.inputs["w"]!]);
  assert.deepEqual(
    (await evaluate({ g: theirs! }, feeds)).g.data,
    (await evaluate({ g: ours! }, feeds)).g.data,
  );
});

test("what has no counterpart is named", () => {
  const lost = ops.defineOp({ name: "lost", infer: ([x]) => x!, onnx: "Cosh", grad: { none: "for a test" } });
  const { bytes } = encodeModel({ y: lost([ops.input("x", [1])], undefined) });
  assert.throws(
    () => importModel(bytes),
    (error) => error instanceof CliptError && /Cosh/.test(error.message),
  );
});
