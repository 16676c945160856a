import { spawn } from "node:child_process";
import { join } from "node:path";
import { packageRoot } from "../../src/package-root.js";

export interface HostileRun {
  /** Lines that begin with "try": what was tried. */
  readonly tries: number;
  /** Lines that begin with "BAD", and how the process ended when it did not end well. */
  readonly troubles: readonly string[];
}

/** Of the whole process, its libraries and the makers of the files included; Node 24 takes 100 MB more than Node 20. */
const mostMb = 800;
/** For JavaScript's own objects. */
const heapMb = 400;
const mostMs = 300_000;

/** Runs `NAME.child.js` as a process that may hold little memory and last some minutes, and looks at what it says. */
export async function runHostile(name: string, args: readonly string[]): Promise<HostileRun> {
  const script = join(packageRoot, "dist", "test", "hostile", `${name}.child.js`);
  const child = spawn(process.execPath, [`--max-old-space-size=${heapMb}`, script, ...args], {
    timeout: mostMs,
    killSignal: "SIGKILL",
  });
  const said = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (said.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (said.err += chunk.toString()));
  const ending = await new Promise<string>((resolve) =>
    child.on("close", (code, signal) => resolve(String(signal ?? code))),
  );
  const lines = said.out.split("\n");
  const tried = lines.filter((line) => line.startsWith("try "));
  const troubles = lines.filter((line) => line.startsWith("BAD "));
  if (ending !== "0") troubles.push(`ended with ${ending} at "${tried.at(-1)}": ${said.err.slice(0, 2000)}`);
  const peak = Number(/^peak (\d+) MB$/m.exec(said.out)?.[1]);
  if (ending === "0" && !(peak <= mostMb)) troubles.push(`held ${peak} MB`);
  return { tries: tried.length, troubles };
}
