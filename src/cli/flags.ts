import { fieldsOf, type Field } from "../task/fields.js";
import type { AnyDescription } from "../task/task.js";

/** "labelsFile" → "--labels-file", "k" → "-k". */
export const flagOf = (field: string): string =>
  field.length === 1 ? `-${field}` : `--${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** The flag with its value as help shows it; what is on by default gets the flag that turns it off. */
export function showFlag({ name, kind, placeholder, fallback }: Field): string {
  if (kind !== "flag") return `${flagOf(name)} <${placeholder}>`;
  return fallback === true ? flagOf(name).replace("--", "--no-") : flagOf(name);
}

/** The field's description with what else help says about it. */
export function showDescription({ kind, description, choices, required, fallback }: Field): string {
  const remarks = choices.length === 0 ? [] : [`choices: ${choices.join(", ")}`];
  if (required) remarks.push("required");
  else if (fallback !== undefined && kind !== "flag") remarks.push(`default: ${String(fallback as string)}`);
  return remarks.length === 0 ? description : `${description} (${remarks.join("; ")})`;
}

/** The fields that are given by their place. */
export const positionalFields = (description: AnyDescription, fields: readonly Field[]): Field[] =>
  (description.positional ?? []).flatMap((name) => fields.filter((field) => field.name === name));

/** A call of the task as a line for the shell. */
export function commandLine(description: AnyDescription, input: Readonly<Record<string, unknown>>): string {
  const fields = fieldsOf(description.input);
  const positional = positionalFields(description, fields);
  const words = ["clipt", description.name];
  for (const { name } of positional)
    if (input[name] !== undefined) words.push(...[input[name]].flat().map(quote));
  for (const field of fields) {
    const value = input[field.name];
    if (positional.includes(field) || value === undefined || value === field.fallback) continue;
    words.push(
      ...(field.kind === "flag"
        ? [showFlag(field)]
        : [flagOf(field.name), quote([value].flat().map(String).join(","))]),
    );
  }
  return words.join(" ");
}

function quote(value: unknown): string {
  const word = String(value);
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `"${word.replace(/["\\$`]/g, "\\$&")}"`;
}
