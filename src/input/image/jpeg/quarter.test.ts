import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import sharp from "sharp";
import { packageRoot } from "../../../package-root.js";
import { decodeImage } from "../decode.js";
import type { BytePicture } from "../picture.js";
import { resize } from "../resize/resize.js";
import { kernelSource } from "./kernel-binary.js";
import { decodeQuarter } from "./quarter.js";

test("the kernel was compiled from its source", () => {
  const source = readFileSync(join(packageRoot, "wasm/jpeg.ts"), "utf8");
  assert.equal(kernelSource, createHash("sha256").update(source).digest("hex"));
});

const photo = readFileSync(join(packageRoot, "examples/pictures/coffee.jpg"));
const fixture = (name: string) => readFileSync(join(packageRoot, "test/fixtures/pictures", name));
const size = { width: 30, height: 20 };

/** Mean difference in levels from libjpeg's decoding and an exact resize. */
async function meanDifference(jpeg: Uint8Array, { width, height } = size): Promise<number> {
  const exact = await decodeImage(jpeg, { orient: false });
  const wanted = resize(exact, width, height, { interpolation: "bicubic" });
  const got = decodeQuarter(jpeg, { width, height }, "bicubic")!;
  assert.deepEqual([got.mode, got.width, got.height], [wanted.mode, width, height]);
  const { data } = got as BytePicture;
  return data.reduce((sum, value, i) => sum + Math.abs(value - wanted.data[i]!), 0) / data.length;
}

for (const [name, make] of [
  ["colours at half the size", () => sharp(photo).jpeg({ quality: 90 })],
  ["colours at full size", () => sharp(photo).jpeg({ quality: 95, chromaSubsampling: "4:4:4" })],
  ["codes of its own", () => sharp(photo).jpeg({ quality: 60, optimiseCoding: true })],
  ["grey", () => sharp(photo).greyscale().jpeg()],
  ["a size of no whole units", () => sharp(photo).resize(611, 409, { fit: "fill" }).jpeg()],
  ["sharp noise", () => sharp(photo).sharpen({ sigma: 4, m1: 8, m2: 8 }).jpeg({ quality: 100 })],
] as const)
  test(`${name}: within two levels of libjpeg on average`, async () => {
    const difference = await meanDifference(await make().toBuffer());
    assert.ok(difference < 2, `${difference}`);
  });

test("restart markers, and colours at half the width", async () => {
  const difference = await meanDifference(fixture("restart.jpg"), { width: 36, height: 25 });
  assert.ok(difference < 2.5, `${difference}`);
});

for (const [width, to] of [
  [640, 64],
  // 20.5 samples of a quarter.
  [82, 8],
] as const)
  test(`a slope of ${width} pixels is itself, in place and in brightness`, async () => {
    const height = 480;
    const value = (column: number): number => 40 + (column * 160) / width;
    const slope = Uint8Array.from({ length: width * height }, (_, i) => Math.round(value(i % width)));
    const raw = { width, height, channels: 1 } as const;
    const jpeg = await sharp(slope, { raw }).toColourspace("b-w").jpeg({ quality: 100 }).toBuffer();
    const { data } = decodeQuarter(jpeg, { width: to, height: 48 }, "bilinear")!;
    for (let x = 1; x < to - 1; x++) {
      const centre = ((x + 0.5) * width) / to - 0.5;
      assert.ok(Math.abs(data[to * 20 + x]! - value(centre)) <= 1, `${x}`);
    }
  });

test("one colour all over is libjpeg's, to the level", async () => {
  for (const background of ["#000", "#fff", "#f00", "#13579b", "#fdb975", "#808182"])
    for (const quality of [50, 90]) {
      const create = { width: 320, height: 240, channels: 3, background } as const;
      const jpeg = await sharp({ create }).jpeg({ quality }).toBuffer();
      assert.equal(await meanDifference(jpeg), 0, `${background} at ${quality}`);
    }
});

test("other kinds, and damaged ones, are left to the library", async () => {
  for (const name of ["progressive.jpg", "cmyk.jpg", "rgba.png"])
    assert.equal(decodeQuarter(fixture(name), size, "bicubic"), undefined, name);
  const jpeg = await sharp(photo).jpeg().toBuffer();
  for (let length = 0; length < jpeg.length - 2; length += 97)
    assert.equal(decodeQuarter(jpeg.subarray(0, length), size, "bicubic"), undefined, `${length}`);
});

test("changed bytes end in a picture or in nothing", async () => {
  const jpeg = await sharp(photo).resize(200, 140).jpeg().toBuffer();
  for (let at = 2; at < jpeg.length; at++) {
    const bytes = Uint8Array.from(jpeg);
    bytes[at]! ^= 1 << (at % 8);
    if (at % 3 === 0) bytes[at] = 0xff;
    const picture = decodeQuarter(bytes, { width: 20, height: 14 }, "bicubic");
    if (picture !== undefined) assert.equal(picture.data.length, 20 * 14 * (picture.mode === "L" ? 1 : 3));
  }
});
