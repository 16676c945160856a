import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import sharp from "sharp";
import { packageRoot } from "../../package-root.js";
import { CliptError } from "../../tensor/index.js";
import { toRgb } from "./convert.js";
import { decodeImage } from "./decode.js";
import { channelsOf } from "./picture.js";
import { clipPreprocess, fitImage } from "./preprocess.js";
import { resize } from "./resize/resize.js";

const fixture = (name: string) => readFileSync(join(packageRoot, "test/fixtures/pictures", name));

// Modes: Pillow 13.0.0.
for (const [name, mode, width, height] of [
  ["bilevel.png", "1", 80, 94],
  ["cmyk.jpg", "CMYK", 87, 89],
  ["gray-alpha.png", "LA", 125, 104],
  ["gray.jpg", "L", 116, 97],
  ["gray16.png", "I;16", 92, 96],
  ["lossy.webp", "RGB", 87, 86],
  ["palette-alpha.png", "P", 104, 95],
  ["picture.bmp", "RGB", 61, 43],
  ["rgba.png", "RGBA", 121, 81],
  ["two-frames.gif", "P", 90, 60],
  ["alpha.bmp", "RGBA", 21, 13],
  ["rle4.bmp", "P", 21, 13],
  ["palette.tif", "P", 33, 21],
  ["gray-alpha16.png", "RGBA", 30, 20],
  ["2-bit.png", "L", 40, 30],
] as const)
  test(`${name} is ${width}×${height} in mode ${mode}`, async () => {
    const picture = await decodeImage(fixture(name));
    assert.deepEqual([picture.mode, picture.width, picture.height], [mode, width, height]);
    assert.equal(picture.data.length, width * height * channelsOf[mode]);
    assert.equal(
      Object.getPrototypeOf(picture.data),
      mode === "I;16" ? Uint16Array.prototype : Uint8Array.prototype,
    );
  });

test("AVIF and TIFF are read", async () => {
  const source = sharp(fixture("rgba.png")).removeAlpha();
  const pixels = await source.clone().raw().toBuffer();
  const tiff = await decodeImage(await source.clone().tiff({ compression: "lzw" }).toBuffer());
  assert.deepEqual(tiff.data, new Uint8Array(pixels));
  const avif = await decodeImage(await source.clone().avif({ lossless: true }).toBuffer());
  assert.deepEqual([avif.mode, avif.width, avif.height], ["RGB", 121, 81]);
});

test("EXIF orientation turns the picture, unless it is left out as in the reference", async () => {
  const bytes = fixture("exif-rotated.jpg");
  const turned = await decodeImage(bytes);
  const plain = await decodeImage(bytes, { orient: false });
  assert.deepEqual([turned.width, turned.height, plain.width, plain.height], [101, 97, 97, 101]);
  // Orientation 6: the first row of what is shown is the first column, from below.
  const [shown, stored] = [toRgb(turned).data, toRgb(plain).data];
  for (let x = 0; x < 101; x++)
    assert.deepEqual(
      shown.subarray(x * 3, x * 3 + 3),
      stored.subarray((100 - x) * 97 * 3, (100 - x) * 97 * 3 + 3),
    );
});

test("HEIC is turned as its own boxes say, whatever EXIF says", async () => {
  // Stored 48×32: red, green above blue, yellow; to be turned right by a quarter.
  const picture = await decodeImage(fixture("turned.heic"));
  assert.deepEqual([picture.mode, picture.width, picture.height], ["RGB", 32, 48]);
  const near = (x: number, y: number, colour: readonly number[]) => {
    const at = 3 * (y * picture.width + x);
    for (const [i, value] of colour.entries())
      assert.ok(Math.abs(picture.data[at + i]! - value) < 12, `${x},${y}: ${picture.data.slice(at, at + 3)}`);
  };
  near(4, 4, [40, 60, 220]);
  near(27, 4, [250, 30, 30]);
  near(4, 43, [240, 220, 40]);
  near(27, 43, [30, 200, 60]);
  await refused(fixture("turned.heic").subarray(0, 700), "input", /HEIC/);
  await refused(fixture("turned.heic"), "input", /32×48 pixels; at most 1000/, { maxPixels: 1000 });
});

const refused = (bytes: Uint8Array, code: string, message: RegExp, options = {}) =>
  assert.rejects(decodeImage(bytes, options), (error: CliptError) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
const text = (content: string) => new TextEncoder().encode(content);

test("what is no picture is refused with what arrived", async () => {
  await refused(text("hello world"), "input", /^Not a picture: begins with 'hello wor'\. JPEG, PNG, WebP/);
  await refused(new Uint8Array(0), "input", /^The file is empty/);
  await refused(Uint8Array.of(0, 1, 2), "input", /begins with hex 00 01 02/);
  await refused(text("BM"), "input", /Not a picture/);
  await refused(text("\0\0\0\x18ftypheic\0\0\0\0mif1heic"), "input", /The HEIC is damaged/);
});

for (const name of [
  "progressive.jpg",
  "cmyk.jpg",
  "rgba.png",
  "lossy.webp",
  "two-frames.gif",
  "picture.bmp",
  "rle8.bmp",
])
  test(`${name} cut short is refused as truncated`, async () => {
    const bytes = fixture(name);
    const half = bytes.subarray(0, Math.floor(bytes.length * (name.endsWith("gif") ? 0.3 : 0.5)));
    await refused(half, "input", /truncated/);
  });

test("many JPEGs cut short at once: each is told so", async () => {
  const cut = fixture("progressive.jpg").subarray(0, 900);
  await Promise.all(Array.from({ length: 64 }, () => refused(cut, "input", /^The JPEG is truncated/)));
});

test("a damaged PNG is refused as damaged", async () => {
  const bytes = Uint8Array.from(fixture("rgba.png"));
  bytes.fill(0, 60, 20_000);
  await refused(bytes, "input", /^The PNG is (damaged|truncated)/);
});

test("bytes that were changed by chance are a picture or an error that says so", async () => {
  const names = [
    "rle4.bmp",
    "565.bmp",
    "interlaced.gif",
    "palette.tif",
    "2-bit.png",
    "lossy.webp",
    "progressive.jpg",
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.array(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(255)), {
        minLength: 1,
        maxLength: 6,
      }),
      fc.boolean(),
      async (name, changes, inHeader) => {
        const bytes = Uint8Array.from(fixture(name));
        const reach = inHeader ? Math.min(80, bytes.length) : bytes.length;
        for (const [at, value] of changes) bytes[Math.floor(at * reach)] = value;
        try {
          const { mode, width, height, data } = await decodeImage(bytes, { maxPixels: 1e6 });
          assert.equal(data.length, width * height * channelsOf[mode]);
        } catch (error) {
          assert.ok(error instanceof CliptError, String(error));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("too many pixels are refused before they are decoded", async () => {
  const options = { maxPixels: 2000 };
  const message = /at most 2000 are read/;
  for (const name of ["rgba.png", "gray.jpg", "picture.bmp", "two-frames.gif", "lossy.webp"])
    await refused(fixture(name), "input", message, options);
});

test("reduced while decoding, a photo keeps to the stated tolerance", async () => {
  // A picture with detail at every scale, as photographs have it.
  const [width, height] = [1501, 1130];
  const smooth = await sharp(fixture("cmyk.jpg"))
    .resize(width, height, { fit: "fill" })
    .toColourspace("srgb")
    .toBuffer();
  const detail = await sharp(fixture("rgba.png")).removeAlpha().resize(400, 300).toBuffer();
  const jpeg = await sharp(smooth)
    .composite([{ input: detail, top: 200, left: 333 }])
    .jpeg({ quality: 90 })
    .toBuffer();
  for (const size of [64, 97]) {
    const config = { ...clipPreprocess, size };
    const exact = fitImage(await decodeImage(jpeg), config).data;
    const reduced = await decodeImage(jpeg, { shortest: size });
    assert.equal(reduced.height, 2 * size);
    const differences = fitImage(reduced, config).data.map((value, i) => Math.abs(value - (exact[i] ?? 0)));
    // Drawn edges are harder than photographed ones.
    assert.ok(Math.max(...differences) <= 26, `${Math.max(...differences)}`);
    assert.ok(differences.reduce((sum, d) => sum + d, 0) / differences.length < 0.8);
    const at = await decodeImage(jpeg, { shortest: size, interpolation: "bicubic" });
    assert.ok(at.height === 2 * size || at.height === size);
  }
  const small = await decodeImage(jpeg, { shortest: 224 });
  assert.deepEqual([small.width, small.height], [width, height]);
});

test("a reduced photo is turned as an exact one is", async () => {
  const scene = await sharp(fixture("rgba.png")).removeAlpha().resize(300, 240, { fit: "fill" }).toBuffer();
  for (let orientation = 1; orientation <= 8; orientation++) {
    const jpeg = await sharp(scene).jpeg({ quality: 95 }).withMetadata({ orientation }).toBuffer();
    const config = { ...clipPreprocess, size: 32 };
    const exact = await decodeImage(jpeg);
    const reduced = await decodeImage(jpeg, { shortest: 32 });
    assert.deepEqual(
      [reduced.width < 300, reduced.width > reduced.height],
      [true, exact.width > exact.height],
    );
    const [a, b] = [fitImage(exact, config).data, fitImage(reduced, config).data];
    const mean = a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
    assert.ok(mean < 0.5, `orientation ${orientation}: ${mean}`);
  }
});

test("a photo that will be stretched is brought to that size, upright", async () => {
  const to = { width: 28, height: 20 };
  const scene = await sharp(fixture("rgba.png")).removeAlpha().resize(340, 420, { fit: "fill" }).toBuffer();
  for (const orientation of [1, 3, 6]) {
    const jpeg = await sharp(scene).jpeg({ quality: 95 }).withMetadata({ orientation }).toBuffer();
    const wanted = resize(await decodeImage(jpeg), to.width, to.height, { interpolation: "bicubic" });
    const got = await decodeImage(jpeg, { shortest: 28, interpolation: "bicubic", stretched: to });
    assert.deepEqual([got.width, got.height], [to.width, to.height]);
    const differences = Array.from(wanted.data, (value, i) => Math.abs(value - got.data[i]!));
    const mean = differences.reduce((sum, d) => sum + d, 0) / differences.length;
    assert.ok(mean < 1, `orientation ${orientation}: ${mean}`);
  }
});
