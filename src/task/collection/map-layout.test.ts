import assert from "node:assert/strict";
import { test } from "node:test";
import { random } from "../../tensor/index.js";
import { layOutVectors } from "./map-layout.js";

const dim = 16;

/** Unit vectors around three directions, one after another. */
function clusters(count: number): Float32Array {
  const rng = random("clusters");
  const centres = [0, 1, 2].map(() => Array.from({ length: dim }, () => rng.normal()));
  const rows = Array.from({ length: count }, (_, i) => {
    const row = centres[i % 3]!.map((c) => c + 0.3 * rng.normal());
    const length = Math.hypot(...row);
    return row.map((v) => v / length);
  });
  return Float32Array.from(rows.flat());
}

test("pictures of a kind lie together, inside the square", async () => {
  const count = 150;
  const points = await layOutVectors(clusters(count), count);
  assert.equal(points.length, 2 * count);
  assert.ok(points.every((value) => value >= 0 && value <= 1));
  const distance = (a: number, b: number) =>
    Math.hypot(points[2 * a]! - points[2 * b]!, points[2 * a + 1]! - points[2 * b + 1]!);
  const all = Array.from({ length: count }, (_, i) => i);
  const ofItsKind = all.filter((i) => {
    const nearest = all.filter((j) => j !== i).reduce((a, b) => (distance(i, b) < distance(i, a) ? b : a));
    return nearest % 3 === i % 3;
  });
  assert.equal(ofItsKind.length, count);
});

test("the same vectors give the same map", async () => {
  const vectors = clusters(40);
  assert.deepEqual(await layOutVectors(vectors, 40), await layOutVectors(vectors, 40));
});

test("few pictures, equal pictures and no pictures have a map, too", async () => {
  assert.equal((await layOutVectors(new Float32Array(0), 0)).length, 0);
  for (const count of [1, 2, 9]) {
    const equal = new Float32Array(count * dim).map((_, i) => (i % dim === 0 ? 1 : 0));
    const points = await layOutVectors(equal, count);
    assert.ok(points.length === 2 * count && points.every(Number.isFinite));
  }
});
