import assert from "node:assert/strict";
import { test } from "node:test";
import { expandBraces } from "./braces.js";

// Expected values: bash's own expansion, and webdataset's for ranges.
for (const [text, expected] of [
  ["a.tar", ["a.tar"]],
  ["{000..002}.tar", ["000.tar", "001.tar", "002.tar"]],
  ["{8..11}", ["8", "9", "10", "11"]],
  ["{08..11}", ["08", "09", "10", "11"]],
  ["{3..1}", ["3", "2", "1"]],
  ["{5..5}", ["5"]],
  ["{a,b}{0..1}", ["a0", "a1", "b0", "b1"]],
  ["{a,b{1,2}}c", ["ac", "b1c", "b2c"]],
  ["{a}", ["{a}"]],
  ["{,x}y", ["y", "xy"]],
] as const)
  test(`"${text}" names ${expected.length}`, () => assert.deepEqual(expandBraces(text), expected));

test("a range of millions is a typing error", () =>
  assert.throws(() => expandBraces("{0..99999999}"), { code: "usage" }));
