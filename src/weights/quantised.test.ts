import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { f32, quantiseRows, type Tensor } from "../tensor/index.js";
import { openWeights } from "./file.js";
import { dequantised, quantisedEntries } from "./quantised.js";
import { saveSafetensors } from "./save.js";

test("no number moves by more than half a step of its row", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.float({ noNaN: true, min: -1e6, max: 1e6 }), fc.float({ noNaN: true, min: -1, max: 1 })),
        { minLength: 1 },
      ),
      (drawn) => {
        // Below float32's normal numbers a step itself is rounded away.
        const rows = drawn.map((row) => row.map((x) => (Math.abs(x) < 1e-30 ? 0 : x)));
        const matrix = f32([rows.length, 2], rows.flat());
        const { values, scale } = quantiseRows(matrix);
        rows.flat().forEach((number, i) => {
          const step = scale.data[i >> 1]!;
          assert.ok(Math.abs(values.data[i]! * step - number) <= step * 0.5001);
        });
      },
    ),
  );
});

test("a file of bytes and factors reads as the matrices it stands for; rows of zeros stay", async () => {
  const folder = mkdtempSync(join(tmpdir(), "clipt-test-"));
  try {
    const path = join(folder, "model.safetensors");
    const bias = f32([2], [1, 2]);
    const entries: [string, Tensor][] = [
      ...quantisedEntries("w", f32([2, 3], [0, 0, 0, 127, -64, 1])),
      ["bias", bias],
    ];
    await saveSafetensors(path, new Map(entries));
    const file = dequantised(await openWeights(path));
    assert.deepEqual(file.names().sort(), ["bias", "w"]);
    assert.equal(file.entry("w").dtype, "float32");
    assert.equal(file.location("w"), undefined);
    assert.notEqual(file.location("bias"), undefined);
    assert.deepEqual([...(await file.read("w")).data], [0, 0, 0, 127, -64, 1]);
    assert.deepEqual((await file.read("bias")).data, bias.data);
    await file.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
