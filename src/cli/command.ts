import { Argument, InvalidArgumentError, Option, type Command } from "commander";
import { fieldsOf, type Field } from "../task/fields.js";
import type { AnyDescription } from "../task/task.js";
import { commandLine, positionalFields, showDescription, showFlag } from "./flags.js";
import { drawing } from "./views/index.js";

/** Gives a command the arguments, flags and help of its task. */
export function describeCommand(command: Command, description: AnyDescription): void {
  const fields = fieldsOf(description.input);
  const positional = positionalFields(description, fields);
  for (const field of positional) command.addArgument(argumentOf(field));
  for (const field of fields) if (!positional.includes(field)) command.addOption(optionOf(field));
  if (drawing.has(description.name)) command.option("--show", "Draw the best pictures in the terminal");
  command.option("--json", "Print JSON and nothing else");
  command.addHelpText("after", () => helpText(description));
}

/** The task's input out of what commander parsed. */
export function inputOf(
  description: AnyDescription,
  values: readonly unknown[],
  options: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const { name } of fieldsOf(description.input))
    if (options[name] !== undefined) input[name] = options[name];
  for (const [i, name] of (description.positional ?? []).entries()) {
    const value = values[i];
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) input[name] = value;
  }
  return input;
}

function argumentOf({ name, kind, required, description }: Field): Argument {
  const word = kind === "list" ? `${name}...` : name;
  return new Argument(required ? `<${word}>` : `[${word}]`, description);
}

/**
 * Required flags and choices are left to the task's schema: commander would complain about a missing flag before it
 * names a misspelt one.
 */
function optionOf(field: Field): Option {
  const option = new Option(showFlag(field), showDescription(field));
  if (field.kind === "number") option.argParser(toNumber);
  if (field.kind === "list") option.argParser(split);
  if (field.kind === "numbers") option.argParser((value) => split(value).map(toNumber));
  return option;
}

function toNumber(value: string): number {
  const number = Number(value);
  if (value.trim() === "" || Number.isNaN(number)) throw new InvalidArgumentError("Expected a number.");
  return number;
}

/** Items between commas; an empty one stays, for the task to complain about. */
const split = (value: string): string[] => value.split(",").map((item) => item.trim());

function helpText(description: AnyDescription): string {
  const { details, examples } = description;
  const lines = examples.map(({ title, input }) => `  # ${title}\n  $ ${commandLine(description, input)}`);
  return [...(details === undefined ? [] : ["", details]), "", "Examples:", lines.join("\n\n")].join("\n");
}
