// Compiles TypeScript into dist/ without checking types (`npm run types` does that): a clone is usable in seconds.
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { buildPage } from "./build-page.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const folders = ["src", "test", "bench", "examples", "recipes", "web"];
const stampFile = join(root, "dist/.stamp");

/** Every source file with its time of change: the build is stale exactly when this text changes. */
function stamp() {
  const lines = [`typescript ${createRequire(import.meta.url)("typescript/package.json").version}`];
  for (const folder of folders) {
    const full = join(root, folder);
    if (!existsSync(full)) continue;
    for (const entry of readdirSync(full, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(tsx?|wasm|css|html|svg)$/.test(entry.name)) continue;
      const file = join(entry.parentPath ?? entry.path, entry.name);
      const { mtimeMs, size } = statSync(file);
      lines.push(`${relative(root, file)} ${size} ${mtimeMs}`);
    }
  }
  lines.push(`tsconfig ${statSync(join(root, "tsconfig.json")).mtimeMs}`);
  return lines.sort().join("\n");
}

/** Compiles what changed since the last time. @param starts called before work that takes a while */
export function build(starts = () => {}) {
  const now = stamp();
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === now) return;
  starts();
  rmSync(join(root, "dist"), { recursive: true, force: true });
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", root, "--noCheck"], { stdio: "inherit" });
  mkdirSync(join(root, "dist"), { recursive: true });
  for (const line of now.split("\n")) {
    const file = line.split(" ")[0] ?? "";
    if (!file.endsWith(".wasm")) continue;
    mkdirSync(dirname(join(root, "dist", file)), { recursive: true });
    cpSync(join(root, file), join(root, "dist", file));
  }
  buildPage(root);
  copySwaggerUi();
  writeFileSync(stampFile, now);
}

/** What the page of the HTTP interface needs of swagger-ui, so that a server has it without a network. */
function copySwaggerUi() {
  const from = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  for (const name of ["swagger-ui.css", "swagger-ui-bundle.js", "LICENSE", "NOTICE"])
    cpSync(join(from, name), join(root, "dist/swagger-ui", name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build();
