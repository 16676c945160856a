import assert from "node:assert/strict";
import { test } from "node:test";
import { overWhite, toRgb } from "./convert.js";
import type { ByteMode, Picture } from "./picture.js";

const pixel = (mode: ByteMode, ...data: number[]): Picture => ({
  mode,
  width: 1,
  height: 1,
  data: Uint8Array.from(data),
});

// Expected values: Pillow 13.0.0, convert("RGB") and alpha_composite over white.
test("alpha is dropped, ink is turned into light, 16-bit grey is clipped", () => {
  assert.deepEqual([...toRgb(pixel("RGBA", 10, 20, 30, 0)).data], [10, 20, 30]);
  assert.deepEqual([...toRgb(pixel("P", 10, 20, 30, 0)).data], [10, 20, 30]);
  assert.deepEqual([...toRgb(pixel("LA", 10, 99)).data], [10, 10, 10]);
  assert.deepEqual([...toRgb(pixel("CMYK", 10, 100, 250, 77)).data], [171, 108, 3]);
  const wide: Picture = { mode: "I;16", width: 2, height: 1, data: Uint16Array.of(200, 300) };
  assert.deepEqual([...toRgb(wide).data], [200, 200, 200, 255, 255, 255]);
});

test("over white, alpha blends", () => {
  assert.deepEqual([...overWhite(pixel("RGBA", 10, 100, 250, 0)).data], [255, 255, 255]);
  assert.deepEqual([...overWhite(pixel("RGBA", 10, 100, 250, 77)).data], [181, 208, 253]);
  assert.deepEqual([...overWhite(pixel("LA", 33, 128)).data], [144, 144, 144]);
  assert.deepEqual([...overWhite(pixel("RGB", 1, 2, 3)).data], [1, 2, 3]);
});
