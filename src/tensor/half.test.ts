import assert from "node:assert/strict";
import { test } from "node:test";
import { f32, toBFloat16, toFloat32 } from "./tensor.js";

// Bits by torch 2.15: torch.tensor(x).to(torch.bfloat16).view(torch.int16)
const rounded: readonly (readonly [number, number])[] = [
  [1, 0x3f80],
  [1.00390625, 0x3f80], // a tie goes to the even neighbour, down
  [1.01171875, 0x3f82], // and up
  [-3.14159265, 0xc049],
  [3.4e38, 0x7f80],
  [1e-45, 0x0000],
  [Infinity, 0x7f80],
];

test("float32 rounds to bfloat16 as torch's does", () => {
  const numbers = f32([rounded.length], rounded.map(([number]) => number)); // prettier-ignore
  const bits = rounded.map(([, bits]) => bits);
  assert.deepEqual([...toBFloat16(numbers).data], bits);
  assert.ok(Number.isNaN(toFloat32(toBFloat16(f32([1], [NaN]))).data[0]));
});
