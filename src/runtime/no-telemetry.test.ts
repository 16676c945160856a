import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const program = (runtime: string): string => `
  const { ${runtime} } = await import(${JSON.stringify(new URL("./index.js", import.meta.url).href)});
  const { add, input } = await import(${JSON.stringify(new URL("../graph/index.js", import.meta.url).href)});
  const { f32 } = await import(${JSON.stringify(new URL("../tensor/index.js", import.meta.url).href)});
  const runtime = ${runtime}();
  const x = input("x", [1]);
  const sum = await runtime.compile({ sum: add(x, x) });
  await sum.run({ x: f32([1], new Float32Array([1])) });
  await sum.close();
  await runtime.close();
`;

for (const runtime of ["nodeRuntime", "workerRuntime"])
  test(`${runtime}: ONNX Runtime leaves nothing in the user's folders and has nothing to report`, () => {
    const home = mkdtempSync(join(tmpdir(), "clipt-home-"));
    try {
      const { ORT_DISABLE_TELEMETRY: _, XDG_CACHE_HOME: __, ...env } = process.env;
      execFileSync(process.execPath, ["--input-type=module", "-e", program(runtime)], {
        env: { ...env, HOME: home },
      });
      assert.deepEqual(readdirSync(home), []);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
