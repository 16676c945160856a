import { homedir, platform } from "node:os";
import { join } from "node:path";
import pc from "picocolors";
import { CliptError, exitCode, messageOf } from "../tensor/index.js";
import { openServices } from "../task/services.js";
import { InputError, type AnyTask, type TaskEvent } from "../task/task.js";
import { hubSettings } from "../weights/hub/settings.js";
import { inputOf } from "./command.js";
import { flagOf } from "./flags.js";
import { hintAtModels } from "./hint.js";
import { wantsColor, type Io } from "./io.js";
import { openReporter } from "./reporter.js";
import { viewOf } from "./views/index.js";

/** Runs a task with what commander parsed and writes its result. @returns the exit status */
export async function runTask(
  task: AnyTask,
  values: readonly unknown[],
  options: Readonly<Record<string, unknown>>,
  io: Io,
): Promise<number> {
  const { description } = task;
  const reporter = openReporter(io);
  const interrupt = onInterrupt();
  const emit = (event: TaskEvent): void => reporter.emit(event);
  const cache = cacheFolder(io.env);
  const { signal } = interrupt;
  const services = openServices({ cacheFolder: cache, hub: hubSettings(io.env), signal, emit });
  try {
    const output = await task(inputOf(description, values, options) as never, {
      services,
      signal,
      emit,
    });
    reporter.end();
    const text =
      options.json === true ? JSON.stringify(output, null, 2) : await shown(task, output, options, io);
    io.stdout.write(`${text}\n`);
    if (options.json !== true) hintAtModels(description, options, cache, io);
    return description.passed?.(output) === false ? exitCode.failed : 0;
  } finally {
    reporter.end();
    interrupt.end();
    await services.close();
  }
}

/** An error in words for the person at the terminal. */
export function explain(error: unknown): string {
  if (error instanceof InputError) return error.describe(flagOf);
  if (error instanceof CliptError) return error.message;
  return `clipt itself failed: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`;
}

async function shown(
  { description }: AnyTask,
  output: unknown,
  options: Readonly<Record<string, unknown>>,
  { stdout, env }: Io,
): Promise<string> {
  const view = await viewOf(description.name);
  return view(output, {
    colors: pc.createColors(wantsColor(stdout, env)),
    columns: stdout.columns ?? 100,
    env,
    show: options.show === true && stdout.isTTY === true,
  });
}

/** The first Ctrl-C asks the task to end and keep what it has; the second ends the process. */
function onInterrupt(): { signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(exitCode.cancelled);
    controller.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return {
    signal: controller.signal,
    end() {
      process.off("SIGINT", stop);
      process.off("SIGTERM", stop);
    },
  };
}

/** The user's cache folder by the rules of their system. */
function cacheFolder(env: Io["env"]): string {
  const home = env.HOME ?? homedir();
  if (env.XDG_CACHE_HOME !== undefined && env.XDG_CACHE_HOME !== "") return join(env.XDG_CACHE_HOME, "clipt");
  if (platform() === "darwin") return join(home, "Library", "Caches", "clipt");
  if (platform() === "win32") return join(env.LOCALAPPDATA ?? join(home, "AppData", "Local"), "clipt");
  return join(home, ".cache", "clipt");
}
