import { readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { writeError } from "../save.js";

const beatMs = 1_000;
const pollMs = 100;
/** A holder that has not moved for so long is gone. */
const staleMs = 15_000;

/**
 * Runs while no other process of this cache does the same. It spares work, not damage: two that run at once by a
 * mischance write the same bytes to the same places.
 *
 * huggingface_hub locks its files in the kernel, which Node cannot; files of its names would mean nothing here.
 *
 * @param onWait called once when another process is at it
 * @throws       what `run` throws, `io`, and the signal's reason
 */
export async function withLock<T>(
  path: string,
  signal: AbortSignal,
  onWait: () => void,
  run: () => Promise<T>,
): Promise<T> {
  const mine = JSON.stringify({ pid: process.pid, host: hostname() });
  for (let waited = false; !(await take(path, mine)); waited = true) {
    if (await isStale(path)) await rm(path, { force: true });
    else {
      if (!waited) onWait();
      await sleep(pollMs, undefined, { signal });
    }
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, beatMs).unref();
  try {
    return await run();
  } finally {
    clearInterval(beat);
    await rm(path, { force: true });
  }
}

async function take(path: string, mine: string): Promise<boolean> {
  try {
    await writeFile(path, mine, { flag: "wx" });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw writeError(path, cause);
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    if (Date.now() - (await stat(path)).mtimeMs > staleMs) return true;
    const { pid, host } = JSON.parse(await readFile(path, "utf8")) as { pid?: unknown; host?: unknown };
    return host === hostname() && typeof pid === "number" && !isAlive(pid);
  } catch {
    // Gone meanwhile, or its holder has not yet written its name.
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
