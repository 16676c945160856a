import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { needsShared, sharedPath } from "../../test/shared.js";
import { f32, type Tensor } from "../tensor/index.js";
import { type Grid, hfPositions, openClipPositions, resizeGrid, resizeSequence } from "./resize-positions.js";
import { readSafetensors } from "./safetensors.js";

function assertClose(got: Tensor<"float32">, expected: Tensor | undefined): void {
  assert.deepEqual(got.shape, expected?.shape);
  const worst = Math.max(...got.data.map((x, i) => Math.abs(x - Number(expected?.data[i]))));
  assert.ok(worst <= 1e-6, `off by ${worst}`);
}

describe("tables are stretched as torch does it", needsShared("reference"), () => {
  const golden = () =>
    readSafetensors(readFileSync(sharedPath("reference", "vit-tiny/position-resize.safetensors") as string))
      .tensors;
  const grids: Grid[] = [[6, 6], [3, 3], [5, 7]]; // prettier-ignore
  for (const to of grids)
    for (const [rule, cubic] of [["open_clip_antialias", openClipPositions], ["transformers_plain", hfPositions]] as const)
      test(`image ${to.join("x")}, ${rule}`, () => {
        const tensors = golden();
        const table = tensors.get("image_table_4x4_with_class") as Tensor;
        assertClose(resizeGrid(table, [4, 4], to, cubic), tensors.get(`image_${to.join("x")}.${rule}`));
      }); // prettier-ignore
  for (const length of [20, 7])
    test(`text ${length}`, () => {
      const tensors = golden();
      const table = tensors.get("text_table_12") as Tensor;
      assertClose(resizeSequence(table, length), tensors.get(`text_${length}.open_clip_linear`));
    });
});

test("the same size changes nothing, and a constant stays constant at any size", () => {
  const table = f32([5, 2], [9, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
  for (const cubic of [openClipPositions, hfPositions]) {
    assertClose(resizeGrid(table, [2, 2], [2, 2], cubic), table);
    const ones = f32([9, 1], new Float32Array(9).fill(1));
    assertClose(resizeGrid(ones, [3, 3], [1, 14], cubic), f32([14, 1], new Float32Array(14).fill(1)));
  }
  assertClose(resizeSequence(table, 5), table);
});

test("a table without that grid is refused", () => {
  assert.throws(() => resizeGrid(f32([3, 1], [1, 2, 3]), [2, 2], [4, 4], hfPositions), { code: "shape" });
});
