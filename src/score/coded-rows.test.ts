import assert from "node:assert/strict";
import { test } from "node:test";
import { f32, random } from "../tensor/index.js";
import { codeRows } from "./coded-rows.js";
import { topK } from "./top-k.js";

const rng = random(4);

/** Rows whose columns have means and deviations of their own. */
function rowsOf(count: number, width: number): Float32Array[] {
  const columns = Array.from(
    { length: width },
    () => [5 * rng.normal(), Math.exp(rng.normal() / 2)] as const,
  );
  return Array.from({ length: count }, () =>
    Float32Array.from(columns, ([mean, deviation]) => mean + deviation * rng.normal()),
  );
}
const flat = (rows: readonly Float32Array[]): Float32Array =>
  Float32Array.from(rows.flatMap((row) => [...row]));

for (const width of [100, 384, 1000])
  test(`among rows of ${width} numbers, the nearest are among twice as many that codes name`, () => {
    const rows = rowsOf(5000, width);
    const coded = codeRows(rows.length, width, rows.slice(0, 1000))!;
    coded.set(0, flat(rows.slice(0, 1500)));
    coded.set(1500, flat(rows.slice(1500)));
    const among = Uint32Array.from(rows.keys()).filter((i) => i % 3 !== 0);
    let found = 0;
    for (let i = 0; i < 10; i++) {
      const vector = Float32Array.from({ length: width }, () => rng.normal());
      const chosen = new Set(coded.nearest(vector, among, 20).map((place) => among[place]));
      assert.equal(chosen.size, 20);
      const meant = flat([...among].map((row) => rows[row]!));
      const [truth] = topK(f32([1, width], vector), f32([among.length, width], meant), 10);
      found += truth!.filter(({ index }) => chosen.has(among[index])).length;
    }
    assert.ok(found >= 97, `${found} of 100`);
  });

test("numbers beyond those of the sample, and columns that it does not tell apart, are the outermost levels", () => {
  const coded = codeRows(4, 2, [Float32Array.of(1, 0), Float32Array.of(1, 1)])!;
  coded.set(0, Float32Array.of(1, 1e9, 1, -1e9, 2, 0.5, 0, 0.5));
  const all = Uint32Array.of(0, 1, 2, 3);
  assert.equal(coded.nearest(Float32Array.of(0, 1), all, 1)[0], 0);
  assert.equal(coded.nearest(Float32Array.of(0, -1), all, 1)[0], 1);
  assert.equal(coded.nearest(Float32Array.of(1, 0), all, 1)[0], 2);
  assert.equal(coded.nearest(Float32Array.of(-1, 0), all, 1)[0], 3);
  assert.deepEqual(coded.nearest(Float32Array.of(0, 1), Uint32Array.of(), 3), []);
});
