import assert from "node:assert/strict";
import { mkdtempSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { f32, toFloat32 } from "../tensor/index.js";
import { openWeights } from "./file.js";
import { locatedBytes, locatedTensor } from "./located.js";
import { saveSafetensors } from "./save.js";

test("a tensor is read where it lies, whole or piece by piece, and a file that was cut says so", async () => {
  const folder = mkdtempSync(join(tmpdir(), "clipt-test-"));
  try {
    const path = join(folder, "w.safetensors");
    const large = f32([3 << 20], new Float32Array(3 << 20).fill(0.5));
    const small = f32([2], [1.5, -2]);
    await saveSafetensors(path, [
      ["large", large],
      ["small", small],
    ]);
    const file = await openWeights(path);
    await file.close();
    const at = (name: string) => file.location(name)!;
    assert.deepEqual(toFloat32(locatedTensor(file.entry("small"), at("small"))), small);
    const pieces = Array.from(locatedBytes(at("large")), ({ length }) => length);
    assert.deepEqual(pieces, [1 << 22, 1 << 22, 1 << 22]);
    const gone = locatedTensor(file.entry("small"), at("small"));
    truncateSync(path, 1 << 20);
    assert.throws(() => gone.data, { code: "io", message: /became shorter/ });
    rmSync(path);
    assert.throws(() => gone.data, { code: "missing" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
