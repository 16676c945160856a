#!/usr/bin/env node
// A clone has no dist/ until its first command: compile it once then. An installed package carries dist/ and no src/.
import "./steady-memory.js";
import { existsSync } from "node:fs";

if (existsSync(new URL("../src", import.meta.url))) {
  const { build } = await import("../scripts/build.mjs");
  build(() => process.stderr.write("Compiling clipt, once after each change …\n"));
}
const { main } = await import("../dist/src/cli/main.js");
process.exitCode = await main(process.argv.slice(2));
