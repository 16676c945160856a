import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type DType, f32, i64, scalar, tensor, type Tensor, zeros } from "../../tensor/index.js";
import { bytesSource } from "../source.js";
import { readZip, unpackEntry } from "../zip.js";
import { readPyTorch, stateDict } from "./index.js";
import { pyTorchChunks, type Savable } from "./write.js";

const written = (root: Savable): Uint8Array => Buffer.concat(pyTorchChunks(root));
const readBack = (root: Savable): unknown => readPyTorch(written(root)).root;

test("what is written is read back", () => {
  const half = tensor("float16", [2, 1], Uint16Array.of(0x3c00, 0x4000));
  const root: Savable = new Map<string | number, Savable>([
    ["epoch", 3],
    ["name", "ViT ёж"],
    ["state_dict", new Map<string, Tensor>([["w", f32([2, 3], [1, 2, 3, 4, 5, 6])], ["half", half], ["count", i64([], [7])]])],
    ["params", [0, 1, 300, 70000, -5, 2 ** 40]],
    ["rate", 1e-6],
    [0, [null, true, false, [], new Map()]],
    ["step", scalar(3)],
    ["empty", f32([0, 4], [])],
  ]); // prettier-ignore
  assert.deepEqual(readBack(root), root);
});

test("any plain data is read back", () => {
  const key = fc.oneof(fc.string({ unit: "grapheme" }), fc.integer());
  const { value } = fc.letrec<{ value: Savable }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(null, true, false),
      fc.double({ noNaN: true }).filter((x) => !Object.is(x, -0)),
      fc.maxSafeInteger(),
      fc.string({ unit: "grapheme" }),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.array(fc.tuple(key, tie("value")), { maxLength: 4 }).map((entries) => new Map(entries)),
    ),
  }));
  fc.assert(fc.property(value, (root) => assert.deepEqual(readBack(root), root)));
});

test("every type of numbers that PyTorch has", () => {
  const types: DType[] = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]; // prettier-ignore
  for (const dtype of types) {
    const one = zeros(dtype, [1]);
    one.data.fill((dtype === "int64" ? 1n : 1) as never);
    const found = stateDict(readPyTorch(written(new Map([["one", one]]))).root).get("one");
    assert.deepEqual([found?.dtype, Number(found?.data[0])], [dtype, 1]);
  }
  const unsigned = tensor("uint32", [1], Uint32Array.of(1));
  assert.throws(() => written(unsigned), { code: "unsupported", message: /no storage of uint32/ });
});

test("the archive is what PyTorch maps: whole sums, numbers at multiples of 64 bytes", () => {
  const bytes = written(new Map([["a", f32([3], [1, 2, 3])], ["b", scalar(4)]])); // prettier-ignore
  const entries = readZip(bytesSource(bytes));
  assert.deepEqual(
    [...entries.keys()],
    ["archive/data.pkl", "archive/byteorder", "archive/data/0", "archive/data/1", "archive/version"],
  );
  for (const [name, entry] of entries) {
    unpackEntry(bytes.subarray(entry.begin, entry.end), name, entry);
    assert.equal(entry.begin % 64, 0, name);
  }
});
