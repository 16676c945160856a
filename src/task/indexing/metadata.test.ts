import assert from "node:assert/strict";
import { test } from "node:test";
import { halves, madeNef } from "../../../test/made-raw.js";
import { readContent } from "./metadata.js";

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
