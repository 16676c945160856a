import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { fingerprint } from "./fingerprint.js";

test("SHA-256 as Node computes it, around the block length and beyond", () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 1000])
    assert.equal(
      fingerprint("é".repeat(length >> 1) + "x".repeat(length & 1)),
      createHash("sha256")
        .update("é".repeat(length >> 1) + "x".repeat(length & 1))
        .digest("hex"),
    );
});
