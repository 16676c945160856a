import assert from "node:assert/strict";
import { test } from "node:test";
import * as clipt from "./index.js";
import { catalog } from "./task/index.js";

test("the library exports every task of the command line", async () => {
  const exported: readonly unknown[] = Object.values(clipt);
  for (const entry of catalog) assert.ok(exported.includes(await entry.load()), entry.name);
});
