import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Picture } from "./picture.js";
import { clipPreprocess, fitImage, normalizeInto, preprocess, type PreprocessConfig } from "./preprocess.js";

const flat = (width: number, height: number, value: number): Picture => ({
  mode: "L",
  width,
  height,
  data: new Uint8Array(width * height).fill(value),
});

test("any picture comes out at the asked size", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 90 }),
      fc.integer({ min: 1, max: 90 }),
      fc.constantFrom<PreprocessConfig["resizeMode"]>("shortest", "longest", "squash"),
      fc.constantFrom<PreprocessConfig["size"]>(16, [20, 9], [7, 31]),
      (width, height, resizeMode, size) => {
        const fitted = fitImage(flat(width, height, 9), {
          ...clipPreprocess,
          size,
          resizeMode,
          fillColor: 9,
        });
        assert.deepEqual([fitted.height, fitted.width], typeof size === "number" ? [size, size] : size);
        assert.ok(fitted.data.every((value) => value === 9));
      },
    ),
  );
});

test("the border of a longest side is filled, the odd pixel on the right and below", () => {
  const fitted = fitImage(flat(20, 10, 200), {
    ...clipPreprocess,
    size: 9,
    resizeMode: "longest",
    fillColor: 7,
  });
  const column = Array.from({ length: 9 }, (_, y) => fitted.data[y * 27]);
  // 10·9/20 = 4.5 is rounded to the even 4; 5 rows remain, 2 above and 3 below.
  assert.deepEqual(column, [7, 7, 200, 200, 200, 200, 7, 7, 7]);
});

test("half a pixel of a centre crop goes to the even side or down", () => {
  const ramp: Picture = {
    mode: "L",
    width: 7,
    height: 4,
    data: Uint8Array.from({ length: 28 }, (_, i) => (i % 7) * 10),
  };
  const config = { ...clipPreprocess, size: 4 } as const;
  assert.equal(fitImage(ramp, { ...config, cropRounding: "even" }).data[0], 20);
  assert.equal(fitImage(ramp, { ...config, cropRounding: "floor" }).data[0], 10);
});

test("values are normalised in float32, channel by channel, into a batch", () => {
  const config = { ...clipPreprocess, size: 2, mean: [0, 0.5, 0.25], std: [1, 0.5, 0.25] };
  const picture = flat(2, 2, 51);
  const planes = [0.2, -0.6, -0.2].map(Math.fround).flatMap((value) => [value, value, value, value]);
  const close = (actual: Float32Array) =>
    actual.forEach((value, i) => assert.ok(Math.abs(value - (planes[i] ?? NaN)) < 1e-7));
  close(preprocess(picture, config));
  const batch = new Float32Array(24);
  normalizeInto(fitImage(picture, config), config, batch, 12);
  close(batch.subarray(12));
  assert.ok(batch.subarray(0, 12).every((value) => value === 0));
});

test("a size that is none is refused", () => {
  assert.throws(() => fitImage(flat(2, 2, 0), { ...clipPreprocess, size: 0 }), /size of 0 is not valid/);
});
