import assert from "node:assert/strict";
import { test } from "node:test";
import { random } from "../../tensor/index.js";
import { augment, openClipAugment, randomCrop, type AugmentConfig } from "./augment.js";
import { brighten, changeContrast, saturate, toGrey, turnHue } from "./colour.js";
import { rgbPicture, type RgbPicture } from "./picture.js";

const drawn = (width: number, height: number): RgbPicture =>
  rgbPicture(
    width,
    height,
    Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37 + (i % 3) * 80 + (i >> 5)) & 255),
  );

const strong: AugmentConfig = {
  scale: [0.2, 1],
  ratio: [3 / 4, 4 / 3],
  horizontalFlipProb: 0.5,
  colorJitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
  colorJitterProb: 0.8,
  grayScaleProb: 0.2,
};
const config = { size: 24, interpolation: "bicubic" } as const;

test("the same seed gives the same pictures, another seed others", () => {
  const stream = (seed: number) => {
    const rng = random(seed);
    return Array.from({ length: 8 }, () => augment(drawn(60, 40), config, strong, rng).data);
  };
  assert.deepEqual(stream(1), stream(1));
  assert.notDeepEqual(stream(1), stream(2));
});

test("a picture that already fits is not changed by its augmentation", () => {
  const picture = drawn(24, 24);
  const before = picture.data.slice();
  const rng = random(3);
  const whole = { ...strong, scale: [1, 1], ratio: [1, 1], colorJitterProb: 1 } as const;
  const results = Array.from({ length: 8 }, () => augment(picture, config, whole, rng));
  assert.deepEqual(picture.data, before);
  assert.ok(results.some(({ data }) => data.some((value, i) => value !== before[i])));
});

test("crops keep to the picture and to the asked area and proportions", () => {
  const rng = random("crops");
  for (let i = 0; i < 1000; i++) {
    const size = { width: 1 + rng.int(300), height: 1 + rng.int(300) };
    const { left, top, width, height } = randomCrop(size, strong, rng);
    assert.ok(left >= 0 && top >= 0 && left + width <= size.width && top + height <= size.height);
    assert.ok(width >= 1 && height >= 1);
    if (
      Math.min(size.width, size.height) < 100 ||
      size.width / size.height > 2 ||
      size.height / size.width > 2
    )
      continue;
    const share = (width * height) / (size.width * size.height);
    assert.ok(share > 0.19 && share < 1.01, `${share}`);
    assert.ok(width / height > 0.73 && width / height < 1.36, `${width}×${height}`);
  }
});

test("open_clip's default takes at least nine tenths of a square", () => {
  const box = randomCrop({ width: 200, height: 200 }, openClipAugment, random(0));
  assert.ok(box.width * box.height >= 0.89 * 200 * 200);
});

// Expected values: Pillow 13.0.0, ImageEnhance on the pixels (200, 100, 50), (10, 20, 30).
const two = () => rgbPicture(2, 1, Uint8Array.from([200, 100, 50, 10, 20, 30]));
const changed = (change: (picture: RgbPicture) => void): number[] => {
  const picture = two();
  change(picture);
  return [...picture.data];
};

test("brightness, contrast and saturation are Pillow's", () => {
  assert.deepEqual(
    changed((p) => brighten(p, 1.3)),
    [255, 130, 65, 13, 26, 39],
  );
  assert.deepEqual(
    changed((p) => changeContrast(p, 0.6)),
    [148, 88, 58, 34, 40, 46],
  );
  assert.deepEqual(
    changed((p) => saturate(p, 1.4)),
    [230, 90, 20, 6, 20, 34],
  );
  assert.deepEqual(changed(toGrey), [124, 124, 124, 18, 18, 18]);
});

test("a third of a turn moves red to green, a whole turn changes nothing", () => {
  assert.deepEqual(changed((p) => turnHue(p, 1 / 3)).slice(0, 3), [50, 200, 100]);
  assert.deepEqual(
    changed((p) => turnHue(p, 1)),
    [...two().data],
  );
});
