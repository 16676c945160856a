import { mkdir, open, readFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../../weights/index.js";
import { openEventFile } from "./tensorboard.js";

/** One line of a run's log; numbers only, but for names of other things that happened. */
export type LogLine = Readonly<Record<string, number | string>>;

/** The log of a run: `log.jsonl`, one line for each logged step, and the same numbers for TensorBoard. */
export interface RunLog {
  write(step: number, line: LogLine): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the log in a run's folder. A resumed run takes the place of what came after its checkpoint.
 *
 * @param from first step that will be logged
 */
export async function openRunLog(folder: string, from: number): Promise<RunLog> {
  await mkdir(join(folder, "tensorboard"), { recursive: true });
  const path = join(folder, "log.jsonl");
  await keepBefore(path, from);
  const file: FileHandle = await open(path, "a");
  const events = await openEventFile(join(folder, "tensorboard"), Date.now() / 1000);
  return {
    async write(step, line) {
      await file.write(`${JSON.stringify({ step, ...line })}\n`);
      const scalars = Object.entries(line).flatMap(([tag, value]) =>
        typeof value === "number" ? [{ tag: `train/${tag}`, value }] : [],
      );
      await events.write(step, scalars, Date.now() / 1000);
    },
    async close() {
      await file.close();
      await events.close();
    },
  };
}

async function keepBefore(path: string, from: number): Promise<void> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return;
  const kept = text.split("\n").filter((line) => {
    try {
      return (JSON.parse(line) as { step: number }).step < from;
    } catch {
      // The line that a crash cut in half.
      return false;
    }
  });
  await replaceFile(path, [new TextEncoder().encode(kept.map((line) => `${line}\n`).join(""))]);
}
