import assert from "node:assert/strict";
import { test } from "node:test";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { halves, madeNef } from "../../../test/made-raw.js";
import { readContent } from "./read-content.js";

test("a raw file: its preview's size, upright, and what the camera wrote", async () => {
  const photo = await halves(900, 600);
  const expected = { format: "raw", width: 600, height: 900, camera: "NIKON D90" };
  assert.deepEqual(await readContent(madeNef(photo)), expected);
  const olympus = madeNef(photo);
  olympus.set([0x52, 0x4f], 2);
  assert.deepEqual(await readContent(olympus), expected);
});

test("what is no picture says nothing", async () => {
  assert.deepEqual(await readContent(new TextEncoder().encode("hello")), {});
});

test("pictures that were read leave nothing behind", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const photo = madeNef(await halves(90, 60));
  const used = (): number => {
    collect();
    return getHeapStatistics().used_heap_size;
  };
  const readMany = async (): Promise<void> => {
    for (let i = 0; i < 1000; i++) await readContent(photo.slice());
  };
  await readMany();
  const before = used();
  await readMany();
  // The library kept 8 kB a picture when it was given options anew each time.
  assert.ok(used() - before < 1_000_000, `${used() - before} bytes more`);
});
