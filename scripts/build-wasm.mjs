// Compiles the kernels of wasm/ into the files of src/ that carry them. The results are committed.
// Usage: node scripts/build-wasm.mjs [--check]   (--check compares with the committed files and writes nothing)
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The dot products' memory comes from outside: each matrix has one of its own. */
const kernels = [
  { source: "wasm/resize.ts", target: "src/input/image/resize/kernel-binary.ts", flags: [] },
  { source: "wasm/jpeg.ts", target: "src/input/image/jpeg/kernel-binary.ts", flags: [] },
  { source: "wasm/dots.ts", target: "src/score/dots-binary.ts", flags: ["--importMemory"] },
];

for (const { source, target, flags } of kernels) {
  let binary = new Uint8Array();
  const { error, stderr } = await asc.main(
    [
      source,
      ...["--outFile", "kernel.wasm", "--baseDir", root, ...flags],
      ...["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--memoryBase", "0"],
    ],
    { writeFile: (_name, contents) => (binary = contents) },
  );
  if (error) throw new Error(`${source} does not compile.\n${stderr}`, { cause: error });

  const lines =
    Buffer.from(binary)
      .toString("base64")
      .match(/.{1,100}/g) ?? [];
  const text = `// Written by scripts/build-wasm.mjs: ${binary.length} bytes of WebAssembly in base64.
export const kernelBinary: string =
${lines.map((line) => `  "${line}"`).join(" +\n")};

/** SHA-256 of the ${source} that it was compiled from. */
export const kernelSource = "${createHash("sha256")
    .update(readFileSync(new URL(`../${source}`, import.meta.url), "utf8"))
    .digest("hex")}";
`;
  const path = fileURLToPath(new URL(`../${target}`, import.meta.url));
  if (!process.argv.includes("--check")) writeFileSync(path, text);
  else if (readFileSync(path, "utf8") !== text) {
    console.error(`${target} is stale: npm run build:wasm`);
    process.exitCode = 1;
  }
}
