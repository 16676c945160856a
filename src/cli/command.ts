import { Argument, InvalidArgumentError, Option, type Command } from "commander";
import { fieldsOf, type Field } from "../task/fields.js";
import type { AnyDescription } from "../task/task.js";
import { drawing } from "./views/index.js";

/** "labelsFile" → "--labels-file", "k" → "-k". */
export const flagOf = (field: string): string =>
  field.length === 1 ? `-${field}` : `--${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

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
  for (const field of fieldsOf(description.input))
    if (options[field.name] !== undefined) input[field.name] = options[field.name];
  for (const [i, name] of (description.positional ?? []).entries()) {
    const value = values[i];
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) input[name] = value;
  }
  return input;
}

/** A call of the task as a line for the shell. */
export function commandLine(description: AnyDescription, input: Readonly<Record<string, unknown>>): string {
  const fields = fieldsOf(description.input);
  const positional = positionalFields(description, fields);
  const words = ["clipt", description.name];
  for (const { name } of positional)
    if (input[name] !== undefined) words.push(...shellWords(input[name], " "));
  for (const field of fields) {
    const value = input[field.name];
    if (positional.includes(field) || value === undefined || value === field.fallback) continue;
    if (field.kind === "flag") words.push(value === true ? flagOf(field.name) : negated(field));
    else words.push(flagOf(field.name), ...shellWords(value, ","));
  }
  return words.join(" ");
}

function positionalFields(description: AnyDescription, fields: readonly Field[]): Field[] {
  return (description.positional ?? []).flatMap((name) => fields.filter((field) => field.name === name));
}

function argumentOf({ name, kind, required, description }: Field): Argument {
  const word = kind === "list" ? `${name}...` : name;
  return new Argument(required ? `<${word}>` : `[${word}]`, description);
}

const negated = ({ name }: Field): string => flagOf(name).replace("--", "--no-");

function optionOf(field: Field): Option {
  const { name, kind, description, placeholder, choices } = field;
  if (kind === "flag")
    return new Option(field.fallback === true ? negated(field) : flagOf(name), description);
  const option = new Option(`${flagOf(name)} <${placeholder}>`, `${description}${remark(field)}`);
  if (kind === "choice") option.choices([...choices]);
  if (kind === "number") option.argParser(toNumber);
  if (kind === "list") option.argParser(split);
  if (kind === "numbers") option.argParser((value) => split(value).map(toNumber));
  return option;
}

// Required flags are left to the task's schema: commander would complain about them before it names a misspelt one.
const remark = ({ required, fallback }: Field): string =>
  required ? " (required)" : fallback === undefined ? "" : ` (default: ${String(fallback as string)})`;

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

function shellWords(value: unknown, separator: string): string[] {
  const items = Array.isArray(value) ? value.map(String) : [String(value)];
  return separator === " " ? items.map(quote) : [quote(items.join(separator))];
}

const quote = (word: string): string =>
  /^[\w./:@%+=,-]+$/.test(word) ? word : `"${word.replace(/["\\$`]/g, "\\$&")}"`;
