import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { random } from "../../../tensor/index.js";
import { channelsOf, crop, type ByteMode, type Picture } from "../picture.js";
import { fastPasses } from "./kernel.js";
import { plainPasses } from "./plain.js";
import { resize, type ResizeOptions } from "./resize.js";

function noise(mode: ByteMode, width: number, height: number, seed: number): Picture {
  const rng = random(seed);
  // Half of the samples are extreme, so that filters overshoot and clipping between the passes matters.
  const sample = () => (rng.next() < 0.5 ? rng.int(2) * 255 : rng.int(256));
  const data = Uint8Array.from({ length: width * height * channelsOf[mode] }, sample);
  return { mode, width, height, data };
}

const side = fc.oneof(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 400 }));
const someCase = fc.record({
  mode: fc.constantFrom<ByteMode>("L", "LA", "RGB", "RGBA", "CMYK"),
  interpolation: fc.constantFrom("bilinear" as const, "bicubic" as const),
  order: fc.constantFrom("pillow13" as const, "horizontal" as const),
  from: fc.tuple(side, side),
  to: fc.tuple(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 70 })),
  seed: fc.integer(),
});

test("the WebAssembly kernel runs here", () => assert.notEqual(fastPasses, plainPasses));

test("the WebAssembly kernel equals the plain passes on any size and mode", () => {
  fc.assert(
    fc.property(someCase, ({ mode, from, to, seed, ...options }) => {
      const picture = noise(mode, ...from, seed);
      const fast = resize(picture, ...to, options);
      const plain = resize(picture, ...to, { ...options, passes: plainPasses });
      assert.deepEqual(fast, plain);
    }),
    { numRuns: 100 },
  );
});

test("a box is a crop first", () => {
  fc.assert(
    fc.property(someCase, fc.nat(), fc.nat(), ({ mode, from, to, seed, ...options }, a, b) => {
      const picture = noise(mode, ...from, seed);
      const box = { left: a % from[0], top: b % from[1], width: from[0] - (a % from[0]), height: 1 };
      assert.deepEqual(
        resize(picture, ...to, { ...options, box }),
        resize(crop(picture, box), ...to, options),
      );
    }),
    { numRuns: 30 },
  );
});

test("a picture larger than the kernel's band is resized in pieces", () => {
  const options: ResizeOptions = { interpolation: "bicubic" };
  for (const [width, height] of [
    [700, 300],
    [30, 7000],
    [6000, 40],
  ] as const) {
    const picture = noise("RGB", width, height, 1);
    assert.deepEqual(
      resize(picture, 50, 40, options),
      resize(picture, 50, 40, { ...options, passes: plainPasses }),
    );
  }
});

test("a resize to the same size and of an even picture changes nothing", () => {
  const picture = noise("RGB", 9, 7, 2);
  assert.deepEqual(resize(picture, 9, 7, { interpolation: "bicubic" }), picture);
  const even: Picture = { mode: "RGB", width: 9, height: 7, data: new Uint8Array(9 * 7 * 3).fill(200) };
  const result = resize(even, 31, 3, { interpolation: "bicubic" });
  assert.ok(result.data.every((value) => value === 200));
});

test("a result without pixels is refused", () => {
  assert.throws(
    () => resize(noise("L", 4, 4, 0), 0, 3, { interpolation: "bilinear" }),
    /4×4 cannot become 0×3/,
  );
});
