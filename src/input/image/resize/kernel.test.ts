import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { packageRoot } from "../../../package-root.js";
import { kernelSource } from "./kernel-binary.js";

// Compiling takes seconds; `node scripts/build-wasm.mjs --check` does it and compares the binary, too.
test("the committed kernel was compiled from wasm/resize.ts as it is (else: npm run build:wasm)", () => {
  const source = readFileSync(join(packageRoot, "wasm/resize.ts"), "utf8");
  assert.equal(kernelSource, createHash("sha256").update(source).digest("hex"));
});
