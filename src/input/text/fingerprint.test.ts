import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { fingerprint, sha256 } from "./fingerprint.js";

test("SHA-256 as Node computes it, around the block length and beyond", () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 1000]) {
    const text = "é".repeat(length >> 1) + "x".repeat(length & 1);
    const expected = createHash("sha256").update(text).digest("hex");
    assert.deepEqual([sha256(text), fingerprint(text)], [expected, expected]);
  }
  assert.equal(sha256("\ud800"), fingerprint("\ud800"));
});
