import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { floats, npy, zip } from "../../test/torch-files.js";
import { CliptError, f32, tensor } from "../tensor/index.js";
import { openNpy, openNpz } from "./npy.js";
import { bytesSource, type Source } from "./source.js";
import { decodeStored, type Stored } from "./stored.js";

const load = (source: Source, stored: Stored) => decodeStored(stored, source.read(stored.begin, stored.end));
const read = (bytes: Uint8Array) => load(bytesSource(bytes), openNpy(bytesSource(bytes)));

test("shapes of any rank, row- and column-major", () => {
  assert.deepEqual(read(npy("<f4", [], floats(7))), f32([], [7]));
  assert.deepEqual(read(npy("<f4", [2], floats(7, 8))), f32([2], [7, 8]));
  assert.deepEqual(read(npy("<f4", [2, 2], floats(1, 2, 3, 4), true)), f32([2, 2], [1, 3, 2, 4]));
  assert.deepEqual(
    read(npy("|u1", [3], Buffer.from([1, 2, 3]))),
    tensor("uint8", [3], Uint8Array.of(1, 2, 3)),
  );
  assert.deepEqual(read(npy("<f4", [0, 3], floats())), f32([0, 3], []));
});

test("an npz of stored and deflated arrays", () => {
  const source = bytesSource(
    zip([
      { name: "a.npy", data: npy("<f4", [2], floats(1, 2)), deflate: true },
      { name: "b.npy", data: npy("<f4", [1], floats(3)) },
    ]),
  );
  const arrays = new Map([...openNpz(source)].map(([name, stored]) => [name, load(source, stored)]));
  assert.deepEqual([...arrays], [["a", f32([2], [1, 2])], ["b", f32([1], [3])]]); // prettier-ignore
});

describe("what is no array of numbers is refused", () => {
  const four = floats(1);
  const cases: [string, Buffer, string, RegExp][] = [
    ["objects, which are pickles", npy("|O", [1], four), "unsupported", /type \|O/],
    ["texts", npy("<U1", [1], four), "unsupported", /type <U1/],
    ["big-endian numbers", npy(">f4", [1], four), "unsupported", /type >f4/],
    ["fewer numbers than the shape", npy("<f4", [2], four), "format", /end at byte/],
    ["more numbers than the shape", npy("<f4", [1], floats(1, 2)), "format", /end at byte/],
    ["a shape beyond all numbers", npy("<f4", [1e9, 1e9, 1e9], four), "format", /larger than any file/],
    ["a header of something else", Buffer.from(npy("<f4", [1], four).toString("latin1").replace("shape", "shade"), "latin1"), "format", /its header is/],
  ]; // prettier-ignore
  for (const [name, bytes, code, message] of cases)
    test(name, () => assert.throws(() => read(bytes), { name: "CliptError", code, message }));
});

test("a file cut anywhere is refused", () => {
  const whole = npy("<f4", [4], floats(1, 2, 3, 4));
  for (let length = 0; length < whole.length; length++)
    assert.throws(() => read(whole.subarray(0, length)), CliptError);
});
