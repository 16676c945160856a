// Compiles the resize kernel, wasm/resize.ts, into src/input/image/resize/kernel-binary.ts. The result is committed.
// Usage: node scripts/build-wasm.mjs [--check]   (--check compares with the committed file and writes nothing)
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const root = fileURLToPath(new URL("..", import.meta.url));
const target = fileURLToPath(new URL("../src/input/image/resize/kernel-binary.ts", import.meta.url));
const source = readFileSync(new URL("../wasm/resize.ts", import.meta.url), "utf8");

let binary = new Uint8Array();
const { error, stderr } = await asc.main(
  [
    "wasm/resize.ts",
    ...["--outFile", "kernel.wasm", "--baseDir", root],
    ...["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--memoryBase", "0"],
  ],
  { writeFile: (_name, contents) => (binary = contents) },
);
if (error) throw new Error(`The kernel does not compile.\n${stderr}`, { cause: error });

const lines =
  Buffer.from(binary)
    .toString("base64")
    .match(/.{1,100}/g) ?? [];
const text = `// Written by scripts/build-wasm.mjs: ${binary.length} bytes of WebAssembly in base64.
export const kernelBinary: string =
${lines.map((line) => `  "${line}"`).join(" +\n")};

/** SHA-256 of the wasm/resize.ts that it was compiled from. */
export const kernelSource = "${createHash("sha256").update(source).digest("hex")}";
`;
if (!process.argv.includes("--check")) writeFileSync(target, text);
else if (readFileSync(target, "utf8") !== text) {
  console.error("The committed kernel is stale: npm run build:wasm");
  process.exitCode = 1;
}
