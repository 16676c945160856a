import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { arrayOf, byteSize, CliptError, type DType, f32, type Tensor, tensor } from "../tensor/index.js";
import { needsShared, sharedPath } from "../../test/shared.js";
import { tensorFromBytes } from "./bytes.js";
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from "./safetensors.js";

/** A file with this header, taken literally, before `data`. */
function file(header: unknown, data = 0, claimed?: number): Uint8Array {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(claimed ?? json.length), true);
  bytes.set(json, 8);
  return bytes;
}
const entry = (dtype: unknown, shape: unknown, begin: unknown, end: unknown) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe("a file that Python wrote comes back byte for byte", () => {
  for (const name of ["vit-tiny/vit-tiny", "rn-tiny/rn-tiny", "hf-clip-tiny/model", "replay-clip/batches"])
    test(name, needsShared("reference", `${name}.safetensors`), () => {
      const bytes = readFileSync(sharedPath("reference", `${name}.safetensors`) as string);
      const { tensors, metadata } = readSafetensors(bytes);
      const given = Object.keys(metadata).length === 0 ? undefined : metadata;
      // Any order in: the layout is the format's, not the caller's.
      assert.ok(Buffer.from(writeSafetensors([...tensors].reverse(), given)).equals(bytes));
    });
});

const anyTensor: fc.Arbitrary<Tensor> = fc
  .tuple(
    fc.constantFrom(...(Object.keys(arrayOf) as DType[])),
    fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    fc.integer(),
  )
  .map(([dtype, shape, seed]) => {
    const bytes = new Uint8Array(shape.reduce((a, b) => a * b, byteSize(dtype)));
    bytes.forEach((_, i) => (bytes[i] = seed >> (i % 24)));
    return tensorFromBytes(dtype, shape, bytes);
  });

test("every type, shape and name survives the round trip, at any alignment", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fc.string({ unit: "binary" }), anyTensor), { selector: ([name]) => name }),
      fc.dictionary(fc.string(), fc.string()),
      fc.integer({ min: 0, max: 7 }),
      (entries, metadata, shift) => {
        const tensors = entries.filter(([name]) => name !== "__metadata__");
        const bytes = writeSafetensors(tensors, metadata);
        const moved = Buffer.alloc(bytes.length + shift); // whose own slice() would not copy
        moved.set(bytes, shift);
        const read = readSafetensors(moved.subarray(shift));
        assert.deepEqual(new Map(read.tensors), new Map(tensors));
        assert.deepEqual({ ...read.metadata }, { ...metadata });
      },
    ),
  );
});

test("aligned tensors are views of the file, not copies", () => {
  const bytes = writeSafetensors([["w", f32([2], [1, 2])]]);
  assert.equal(readSafetensors(bytes).tensors.get("w")?.data.buffer, bytes.buffer);
});

test("the header alone tells where each tensor lies", () => {
  const bytes = writeSafetensors([
    ["b", f32([2], [1, 2])],
    ["a", tensor("uint8", [3], Uint8Array.of(7, 8, 9))],
  ]);
  const { entries } = readSafetensorsHeader(bytes.subarray(0, bytes.length - 11), bytes.length);
  assert.deepEqual([...entries.keys()], ["b", "a"]);
  const { begin, end } = entries.get("a") ?? { begin: 0, end: 0 };
  assert.deepEqual([...bytes.subarray(begin, end)], [7, 8, 9]);
});

test("a name that occurs twice is not written", () => {
  const w = f32([1], [0]);
  assert.throws(() => writeSafetensors([["w", w], ["w", w]]), { code: "format" }); // prettier-ignore
  assert.throws(() => writeSafetensors([["__metadata__", w]]), { code: "format" });
});

describe("what breaks the format is refused with its reason", () => {
  const cases: readonly [string, Uint8Array, RegExp][] = [
    ["empty file", new Uint8Array(0), /0 bytes long/],
    ["7 bytes", new Uint8Array(7), /7 bytes long/],
    ["header of 4 GiB", file("{}", 0, 2 ** 32), /claims 4294967296 bytes; at most/],
    ["header of 2^64 - 1 bytes", file("{}", 0, 2 ** 63), /at most/],
    ["header longer than the file", file("{}", 0, 50), /cut off/],
    ["no JSON", file("{oops"), /not JSON/],
    ["a list", file("[]"), /not a JSON object/],
    ["white space first", file(" {}"), /not a JSON object/],
    ["a byte order mark", file("\ufeff{}"), /not JSON/],
    ["100,000 brackets", file("[".repeat(1e5)), /not JSON/],
    ["metadata of numbers", file({ __metadata__: { a: 1 } }), /__metadata__/],
    ["metadata as a list", file({ __metadata__: [] }), /__metadata__/],
    ["entry null", file({ w: null }), /"w" is not described/],
    ["no type", file({ w: { shape: [], data_offsets: [0, 4] } }, 4), /a type that is not a text/],
    ["unknown type", file({ w: entry("F7", [], 0, 4) }, 4), /the type "F7"/],
    ["type as a number", file({ w: entry(5, [], 0, 4) }, 4), /a type that is not a text/],
    ["type as 100,000 lists", file(`{"w":{"dtype":${"[".repeat(1e5)}${"]".repeat(1e5)},"shape":[],"data_offsets":[0,4]}}`, 4), /not a text/], // prettier-ignore
    ["negative length", file({ w: entry("F32", [-1], 0, 4) }, 4), /list of lengths/],
    ["fractional length", file({ w: entry("F32", [0.5], 0, 2) }, 2), /list of lengths/],
    ["shape as a text", file({ w: entry("F32", "4", 0, 16) }, 16), /list of lengths/],
    ["negative offset", file({ w: entry("F32", [1], -4, 0) }, 4), /data_offsets/],
    ["offset beyond 2^53", file({ w: entry("F32", [1], 0, 1e300) }, 4), /data_offsets/],
    ["three offsets", file({ w: { dtype: "U8", shape: [1], data_offsets: [0, 1, 2] } }, 1), /data_offsets/],
    ["end before begin", file({ w: entry("U8", [0], 4, 0) }, 4), /spans bytes 4 to 0/],
    ["size against shape", file({ w: entry("F32", [3], 0, 8) }, 8), /fill 12/],
    ["overflowing shape", file({ w: entry("F32", [2 ** 40, 2 ** 40], 0, 8) }, 8), /larger than any file/],
    ["overflow hidden by 0", file({ w: entry("F32", [2 ** 40, 2 ** 40, 0], 0, 0) }), /larger than any file/],
    ["out of range", file({ w: entry("U8", [99], 0, 99) }, 9), /cut off/],
    ["bytes left over", file({ w: entry("U8", [4], 0, 4) }, 9), /end at byte/],
    ["gap at the start", file({ w: entry("U8", [4], 4, 8) }, 8), /overlap nor leave gaps/],
    ["gap between", file({ a: entry("U8", [2], 0, 2), b: entry("U8", [2], 4, 6) }, 6), /leave gaps/],
    ["overlap", file({ a: entry("U8", [4], 0, 4), b: entry("U8", [4], 2, 6) }, 6), /overlap/],
    ["same bytes twice", file({ a: entry("U8", [4], 0, 4), b: entry("U8", [4], 0, 4) }, 4), /overlap/],
    ["unknown field", file({ w: { ...entry("U8", [1], 0, 1), x: 1 } }, 1), /unknown field "x"/],
    ["nested field", file({ w: { ...entry("U8", [1], 0, 1), x: {} } }, 1), /more than type/],
    [
      "a name twice",
      file('{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1),
      /occurs twice/,
    ], // prettier-ignore
    ["a field twice", file('{"w":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}', 1), /twice/],
  ];
  for (const [name, bytes, message] of cases)
    test(name, () =>
      assert.throws(() => readSafetensors(bytes), { name: "CliptError", code: "format", message }),
    );
});

test("a file cut anywhere is refused", () => {
  const whole = writeSafetensors(
    Array.from({ length: 8 }, (_, i) => [`block.${i}`, f32([5], [1, 2, 3, 4, 5])] as const),
  );
  for (let length = 0; length < whole.length; length++)
    assert.throws(() => readSafetensors(whole.slice(0, length)), CliptError);
});

test("names such as __proto__ and 0 are names like any other", () => {
  const one = f32([1], [1]);
  const names = ["10", "9", "__proto__", "constructor"];
  const { tensors } = readSafetensors(writeSafetensors(names.map((name) => [name, one] as const)));
  assert.deepEqual([...tensors.keys()], names);
});
