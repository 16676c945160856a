import { z } from "zod";

/**
 * What a query or a form says, as its schema means it: numbers, switches, lists and JSON out of texts. What cannot be
 * understood stays as it is, for the schema to complain about.
 */
export function fromText(
  schema: z.ZodObject,
  fields: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const known = schema.shape as Record<string, z.ZodType>;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      Object.hasOwn(known, name) ? valueOf(known[name]!, value) : value,
    ]),
  );
}

function valueOf(schema: z.ZodType, value: unknown): unknown {
  const inner = withoutDefaults(schema);
  if (inner instanceof z.ZodArray) {
    const element = withoutDefaults(inner.element as z.ZodType);
    const items = typeof value === "string" && value.startsWith("[") ? parsed(value) : value;
    if (isPlain(element)) return [items].flat().map((item) => valueOf(element, item));
  }
  if (typeof value !== "string") return value;
  if (inner instanceof z.ZodNumber) return /^[+-]?[\d.]+(e[+-]?\d+)?$/i.test(value) ? Number(value) : value;
  if (inner instanceof z.ZodBoolean)
    return { true: true, "1": true, false: false, "0": false }[value] ?? value;
  if (isPlain(inner)) return value;
  return parsed(value);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return json;
  }
}

const isPlain = (schema: z.ZodType): boolean =>
  schema instanceof z.ZodString ||
  schema instanceof z.ZodEnum ||
  schema instanceof z.ZodNumber ||
  schema instanceof z.ZodBoolean;

export function withoutDefaults(schema: z.ZodType): z.ZodType {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodNullable)
    inner = inner.unwrap() as z.ZodType;
  return inner;
}
