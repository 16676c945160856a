import assert from "node:assert/strict";
import { test } from "node:test";
import { random } from "../../tensor/index.js";
import { hashDistance, perceptualHash } from "./perceptual-hash.js";

/** A smooth random picture: a sum of waves, the same for a seed at any size. */
function waves(seed: number, size: number): Float32Array {
  const rng = random(seed);
  const parts = Array.from({ length: 12 }, () => Array.from({ length: 4 }, () => rng.normal()));
  const plane = Float32Array.from({ length: size * size }, (_, i) => {
    const [y, x] = [Math.floor(i / size) / size, (i % size) / size];
    return parts.reduce((sum, [a, b, c, d]) => sum + a! * Math.cos(6 * (b! * x + c! * y) + d!), 0);
  });
  const pixels = new Float32Array(3 * size * size);
  for (const channel of [0, 1, 2]) pixels.set(plane, channel * size * size);
  return pixels;
}

const hashOf = (pixels: Float32Array, size: number) => perceptualHash(pixels, size, size);

test("a picture's fingerprint survives scaling, contrast and noise", () => {
  const original = hashOf(waves(1, 224), 224);
  const rng = random(2);
  const changed = [
    hashOf(waves(1, 160), 160),
    hashOf(
      waves(1, 224).map((v) => 0.7 * v + 0.2),
      224,
    ),
    hashOf(
      waves(1, 224).map((v) => v + 0.1 * rng.normal()),
      224,
    ),
  ];
  for (const hash of changed) assert.ok(hashDistance(original, hash) <= 6, `${original} ${hash}`);
});

test("different pictures are far apart", () => {
  const hashes = [3, 4, 5, 6].map((seed) => hashOf(waves(seed, 96), 96));
  for (const [i, a] of hashes.entries())
    for (const b of hashes.slice(i + 1)) assert.ok(hashDistance(a, b) > 12, `${a} ${b}`);
});

test("the distance counts bits", () => {
  assert.equal(hashDistance("0000000000000000", "ffffffffffffffff"), 64);
  assert.equal(hashDistance("00000000000000f0", "0000000000000010"), 3);
});
