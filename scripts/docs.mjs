// Writes the pages of docs/ that are generated from the code; with --check it writes nothing and fails when one is stale.
import { mkdirSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";

build();
const { exitCodesPage } = await import("../dist/src/cli/exit-codes.js");
const { publishedPage } = await import("../dist/src/cli/published-page.js");
const { referencePage } = await import("../dist/src/cli/reference-page.js");

const pages = {
  "cli.md": await referencePage(),
  "exit-codes.md": exitCodesPage(),
  "published-models.md": publishedPage(),
};

for (const [name, text] of Object.entries(pages)) {
  const path = fileURLToPath(new URL(`../docs/${name}`, import.meta.url));
  if (existsSync(path) && readFileSync(path, "utf8") === text) continue;
  if (process.argv.includes("--check")) {
    console.error(`docs/${name} is stale: run npm run docs`);
    process.exitCode = 1;
    continue;
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
