import { readFileSync } from "node:fs";

/** What a named benchmark is given, and returns: figures by name, units in the names. */
export interface Benchmark {
  readonly summary: string;
  run(args: readonly string[]): Promise<Record<string, unknown>>;
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

/** Wall and CPU seconds of some work. */
export async function timed(work: () => Promise<unknown>): Promise<{ wall: number; cpu: number }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 };
}

export const option = (args: readonly string[], name: string): string | undefined => {
  const at = args.indexOf(`--${name}`);
  return at < 0 ? undefined : args[at + 1];
};

/** Of a child whose memory is measured: as bin/steady-memory.js sets it for people, where Node can. */
export const steadyMemory: NodeJS.ProcessEnv = {
  MALLOC_ARENA_MAX: "2",
  MALLOC_MMAP_THRESHOLD_: "4194304",
  ...process.env,
};

/** The most memory that this process has held so far, MB. */
export function peakMb(): number {
  try {
    // Not maxRSS where this is there: a child's begins with what its parent held.
    const [, kilobytes] = /VmHWM:\s*(\d+)/.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    if (kilobytes !== undefined) return Number(kilobytes) / 1024;
  } catch {
    // Other systems have no such file.
  }
  return process.resourceUsage().maxRSS / 1024;
}
