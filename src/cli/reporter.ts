import { Presets, SingleBar } from "cli-progress";
import pc from "picocolors";
import { wantsColor, type Io } from "./io.js";
import { printable } from "./printable.js";
import { showBytes } from "../task/show-bytes.js";
import type { TaskEvent } from "../task/task.js";

type Progress = Extract<TaskEvent, { kind: "progress" }>;

/** Without a terminal, a long task's numbers are written this often. */
const noteEveryMs = 10_000;

/** Tells a task's events on stderr: bars on a terminal, lines about what was skipped everywhere. */
export interface Reporter {
  emit(event: TaskEvent): void;
  /** Ends the bar, counts what was skipped. */
  end(): void;
}

export function openReporter({ stderr, env }: Pick<Io, "stderr" | "env">): Reporter {
  const colors = pc.createColors(wantsColor(stderr, env));
  const warned = new Set<string>();
  let bar: { stage: string; bar: SingleBar } | undefined;
  let skipped = 0;
  let noted = 0;
  let begun: { stage: string; at: number; done: number } | undefined;

  const endBar = (): void => {
    bar?.bar.stop();
    bar = undefined;
  };
  const line = (text: string): void => {
    endBar();
    stderr.write(`${text}\n`);
  };
  const progress = ({ stage, done, total, unit, note = "" }: Progress): void => {
    const show = unit === "bytes" ? showBytes : String;
    if (stderr.isTTY !== true) {
      if (note === "" || Date.now() - noted < noteEveryMs) return;
      noted = Date.now();
      if (begun?.stage !== stage) begun = { stage, at: noted, done };
      const left = timeLeft(noted - begun.at, done - begun.done, (total ?? done) - done);
      return line(`${stage}: ${show(done)}${total === undefined ? "" : `/${show(total)}`}, ${note}${left}`);
    }
    if (bar?.stage !== stage) {
      endBar();
      bar = { stage, bar: startBar(stage, stderr as NodeJS.WriteStream, total, show) };
    }
    if (total !== undefined) bar.bar.setTotal(total);
    bar.bar.update(done, { note });
    if (done === total) endBar();
  };

  return {
    emit(event) {
      switch (event.kind) {
        case "progress":
          return progress(event);
        case "note":
          return line(event.message);
        case "skipped":
          skipped++;
          return line(`${colors.yellow("skipped")} ${printable(describeSkipped(event))}`);
        case "warning":
          if (!warned.has(event.message)) line(`${colors.yellow("warning:")} ${event.message}`);
          warned.add(event.message);
      }
    },
    end() {
      endBar();
      if (skipped > 1) line(colors.yellow(`${skipped} items skipped`));
      skipped = 0;
    },
  };
}

/** ", 12 min left" at the speed so far; nothing while that is unknown, or the end near. */
function timeLeft(passedMs: number, done: number, left: number): string {
  const seconds = (passedMs * left) / done / 1000;
  if (!Number.isFinite(seconds) || seconds < 10) return "";
  return `, ${seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`} left`;
}

/** Many reasons begin with the item's name themselves. */
const describeSkipped = ({ item, reason }: { item: string; reason: string }): string =>
  reason.startsWith(item) ? reason : `${item}: ${reason}`;

function startBar(
  stage: string,
  stream: NodeJS.WriteStream,
  total: number | undefined,
  show: (amount: number) => string,
): SingleBar {
  const format =
    total === undefined ? `${stage}` : `${stage} {bar} {value}/{total}, {eta_formatted} left {note}`;
  const formatValue = (value: number, _: unknown, type: string): string =>
    type === "value" || type === "total" ? show(value) : String(value);
  const bar = new SingleBar(
    { stream, format, formatValue, clearOnComplete: true, hideCursor: true, etaBuffer: 50 },
    Presets.shades_classic,
  );
  bar.start(total ?? 0, 0, { note: "" });
  return bar;
}
