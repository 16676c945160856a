// Everything that must hold before a commit: format, lint, types, layers and tests, documents that are not stale.
// `--no-tests` leaves the tests out (CI has run them already).
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(import.meta.url);
const bin = (name, file) => require.resolve(`${name}/package.json`).replace(/package\.json$/, file);

const steps = [
  ["format", bin("prettier", "bin/prettier.cjs"), "--check", "--log-level", "warn", "."],
  [
    "lint",
    bin("eslint", "bin/eslint.js"),
    "src",
    "web",
    "test",
    "bench",
    "examples",
    "recipes",
    "scripts",
    "bin",
  ],
  ["types", bin("typescript", "bin/tsc"), "--noEmit"],
  ["types of the page", bin("typescript", "bin/tsc"), "--noEmit", "-p", "web"],
  ["build", "scripts/build.mjs"],
  ["documents", "scripts/docs.mjs", "--check"],
  ...(process.argv.includes("--no-tests") ? [] : [["tests, layers among them", "scripts/test.mjs"]]),
];

const failed = [];
for (const [name, ...command] of steps) {
  const start = Date.now();
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: "inherit" });
  console.log(`${status === 0 ? "ok  " : "FAIL"} ${name}, ${((Date.now() - start) / 1000).toFixed(1)} s`);
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) console.log(`Failed: ${failed.join(", ")}`);
process.exitCode = failed.length > 0 ? 1 : 0;
