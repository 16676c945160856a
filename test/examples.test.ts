import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { packageRoot } from "../src/package-root.js";

const bundled = existsSync(join(packageRoot, "models", "clipt-small", "config.json"));
const run = (name: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(packageRoot, "dist", "examples", name), ...args],
    { cwd: packageRoot, encoding: "utf8" },
  );
  assert.equal(status, 0, stderr);
  return stdout;
};
const needsModel = { skip: !bundled && "the bundled model is not in this copy" };

test("every example has a test", () => {
  const examples = readdirSync(join(packageRoot, "examples")).filter((file) => file.endsWith(".ts"));
  assert.deepEqual(examples.sort(), ["embed.ts", "gradient.ts", "search.ts"]);
});

test("examples/gradient.ts prints a graph, and the derivative of tanh at 0", () => {
  const output = run("gradient.js");
  assert.match(output, /%2 = matmul\(%0, %1\) : float32\[1, 2\]/);
  assert.match(output, /\[ 2, 2 \] \[ 1, 1, 2, 2 \]/);
});

test("examples/search.ts finds the cat first, also in Russian", needsModel, () => {
  assert.match(run("search.js", "a cat", "examples/pictures").split("\n")[0]!, /cat\.jpg/);
  assert.match(run("search.js", "чашка кофе", "examples/pictures").split("\n")[0]!, /coffee\.jpg/);
});

test("examples/embed.ts: a translation is nearer than another subject", needsModel, () => {
  const [, same = "", other = ""] = /Russian: (\S+) {2}something else: (\S+)/.exec(run("embed.js")) ?? [];
  assert.ok(Number(same) > Number(other) + 0.2, `${same} against ${other}`);
});
