import { Command, CommanderError } from "commander";
import pc from "picocolors";
import { packageVersion } from "../package-root.js";
import { CliptError, exitCode } from "../tensor/index.js";
import { groups, type Entry } from "../task/catalog.js";
import { commands } from "./commands.js";
import { processIo, wantsColor, type Io } from "./io.js";

/**
 * The command line.
 *
 * @param argv the words after `clipt`
 * @returns    the exit status; docs/exit-codes.md lists them
 */
export async function main(argv: readonly string[], io: Io = processIo()): Promise<number> {
  endQuietlyWithPipe();
  const result = { status: 0 };
  const program = await buildProgram(argv, io, result);
  try {
    await program.parseAsync(argv.length === 0 ? ["--help"] : [...argv], { from: "user" });
    return result.status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCode.usage;
    const { explain } = await import("./run-task.js");
    io.stderr.write(`${pc.createColors(wantsColor(io.stderr, io.env)).red("error:")} ${explain(error)}\n`);
    return error instanceof CliptError ? exitCode[error.code] : exitCode.shape;
  }
}

/** Whoever closes the pipe (`| head`) has read enough: that is no error. */
function endQuietlyWithPipe(): void {
  for (const stream of [process.stdout, process.stderr])
    if (stream.listenerCount("error") === 0)
      stream.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code !== "EPIPE") throw error;
        process.exit(0);
      });
}

/** All commands by name and summary; only the one that is asked for is loaded and has flags. */
async function buildProgram(argv: readonly string[], io: Io, result: { status: number }): Promise<Command> {
  const program = new Command("clipt")
    .description("Pictures and words in one space: find, classify, train and measure, offline")
    .version(packageVersion(), "-V, --version", "Print the version")
    .helpOption("-h, --help", "Show help")
    .helpCommand("help [command]", "Show help for a command");
  prepare(program, io);
  const asked = askedFor(argv);
  const parents = new Map<string, Command>();
  for (const entry of commands) {
    const words = entry.name.split(" ");
    const [group = ""] = words;
    let parent = program;
    if (words.length > 1) {
      parent = parents.get(group) ?? prepare(program.command(group).description(groups[group] ?? ""), io);
      parents.set(group, parent);
    }
    const command = prepare(parent.command(words.at(-1) ?? "").description(entry.summary), io);
    if (entry !== asked) continue;
    // Loaded here: a help text or a version needs no schemas.
    const [task, { describeCommand }, { runTask }] = await Promise.all([
      entry.load(),
      import("./command.js"),
      import("./run-task.js"),
    ]);
    describeCommand(command, task.description);
    command.action(async () => {
      result.status = await runTask(task, command.processedArgs, command.opts(), io);
    });
  }
  return program;
}

/** Errors are thrown and texts go to the given streams; suggestions are commander's own. */
function prepare(command: Command, { stdout, stderr }: Io): Command {
  return command
    .exitOverride()
    .showHelpAfterError("(--help shows what is known)")
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
    });
}

/** The entry whose words the command line begins with, after "help" if that is its first word. */
function askedFor(argv: readonly string[]): Entry | undefined {
  const words = argv[0] === "help" ? argv.slice(1) : argv;
  return commands.find(({ name }) => name.split(" ").every((word, i) => words[i] === word));
}
