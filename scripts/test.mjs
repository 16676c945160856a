// Runs the compiled tests with Node's own runner (the same on Node 20 and 24) and ends with one line of counts.
// Usage: node scripts/test.mjs [part of a file name …]
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(dist, { recursive: true })
  .filter(
    (file) =>
      file.endsWith(".test.js") && (wanted.length === 0 || wanted.some((part) => file.includes(part))),
  )
  .map((file) => join(dist, file))
  .sort();

let passed = 0;
let failed = 0;
let skipped = 0;
const stream = run({ files, concurrency: 2, timeout: 600_000 });
const leaf = (event) => event.details?.type !== "suite" && !files.includes(event.name);
stream.on("test:pass", (event) => {
  if (!leaf(event)) return;
  if (event.skip !== undefined) skipped++;
  else passed++;
});
stream.on("test:fail", (event) => {
  if (event.details?.type !== "suite") failed++;
});
stream.compose(new spec()).pipe(process.stdout);
stream.on("end", () => {
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
});
process.on("exit", () => console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`));
