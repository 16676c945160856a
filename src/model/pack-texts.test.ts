import assert from "node:assert/strict";
import { test } from "node:test";
import { tensor } from "../tensor/index.js";
import { packTexts } from "./pack-texts.js";

const batch = {
  ids: tensor(
    "int64",
    [4, 4],
    BigInt64Array.of(1n, 2n, 9n, 0n, 1n, 2n, 3n, 9n, 1n, 4n, 9n, 0n, 1n, 4n, 9n, 0n),
  ),
  lengths: [3, 4, 3, 3],
};
const numbers = ({ data }: { data: BigInt64Array }) => Array.from(data, Number);

test("texts that begin alike have their first tokens in common", () => {
  const { places, rows } = packTexts(batch, true);
  assert.deepEqual(numbers(places), [0, 1, 2, 6, 7, 9, 10]);
  assert.deepEqual(numbers(rows), [0, 1, 2, 0, 0, 1, 3, 4, 0, 5, 6, 0, 0, 5, 6, 0]);
});

test("where tokens see what follows, only the padding is left out", () => {
  const { places, rows } = packTexts(batch, false);
  assert.deepEqual(numbers(places), [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14]);
  assert.deepEqual(numbers(rows), [0, 1, 2, 0, 3, 4, 5, 6, 7, 8, 9, 0, 10, 11, 12, 0]);
});
