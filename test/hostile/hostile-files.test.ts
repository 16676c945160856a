import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { runHostile } from "./run-hostile.js";

test("files that were made to do harm are refused, and little memory is held meanwhile", async () => {
  const { tries, troubles } = await runHostile("bombs", []);
  assert.deepEqual(troubles, []);
  assert.ok(tries > 50);
  assert.ok(!existsSync("/tmp/clipt-was-here"), "nothing of a pickle is run");
});

test("files of every format that are cut at 200 places are errors or are read", async () => {
  const { tries, troubles } = await runHostile("truncated", []);
  assert.deepEqual(troubles, []);
  assert.ok(tries >= 20 * 200, `${tries} files`);
});
