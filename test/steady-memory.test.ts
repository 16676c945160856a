import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { packageRoot } from "../src/package-root.js";

const canExec = process.platform === "linux" && "execve" in process;

test(
  "a command begins again with steady memory, once, as the same process with the same words and standard streams",
  { skip: canExec ? false : "Node here cannot begin again" },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "clipt-test-"));
    const program = join(folder, "program.mjs");
    await writeFile(
      program,
      `import ${JSON.stringify(pathToFileURL(join(packageRoot, "bin/steady-memory.js")).href)};
const { MALLOC_ARENA_MAX, MALLOC_MMAP_THRESHOLD_, KEPT } = process.env;
let input = "";
for await (const text of process.stdin) input += text;
console.log(JSON.stringify({ MALLOC_ARENA_MAX, MALLOC_MMAP_THRESHOLD_, KEPT, input, pid: process.pid,
  words: process.argv.slice(2), flags: process.execArgv }));
process.exitCode = 7;`,
    );
    const run = async (more: NodeJS.ProcessEnv) => {
      const env = Object.entries(process.env).filter(([name]) => !name.startsWith("MALLOC_"));
      const words = ["--stack-size=900", program, "a dog", "--db", "*"];
      const running = promisify(execFile)(process.execPath, words, {
        env: { ...Object.fromEntries(env), ...more },
      });
      running.child.stdin!.end("said");
      const { code, stdout, stderr } = (await running.catch((error: unknown) => error)) as {
        code: number;
        stdout: string;
        stderr: string;
      };
      assert.deepEqual([code, stderr], [7, ""]);
      const { pid, ...said } = JSON.parse(stdout) as Record<string, unknown>;
      assert.equal(pid, running.child.pid);
      return said;
    };
    try {
      const same = { KEPT: "1", input: "said", words: ["a dog", "--db", "*"], flags: ["--stack-size=900"] };
      const steady = { MALLOC_ARENA_MAX: "2", MALLOC_MMAP_THRESHOLD_: "4194304" };
      assert.deepEqual(await run({ KEPT: "1" }), { ...same, ...steady });
      assert.deepEqual(await run({ KEPT: "1", MALLOC_ARENA_MAX: "8" }), { ...same, MALLOC_ARENA_MAX: "8" });
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
